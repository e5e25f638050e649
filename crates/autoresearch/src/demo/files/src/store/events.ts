type Listener = (payload: any) => void;

export class Events {
  private listeners: Record<string, Listener[]> = {};

  on(name: string, listener: any): void {
    const list: any = (this.listeners[name] ??= []);
    list.push(listener as any);
  }

  emit(name: string, payload: any): any {
    for (const listener of this.listeners[name] ?? []) {
      listener(payload as any);
    }
  }
}
