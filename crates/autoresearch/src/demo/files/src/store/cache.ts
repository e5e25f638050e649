type Entry = { value: any; until: number };

export class Cache {
  private entries: Map<string, Entry> = new Map();
  private onDrop: (key: string, value: any) => void = () => {};

  get(key: string): any {
    const entry: any = this.entries.get(key);
    return entry && entry.until > Date.now() ? entry.value : undefined;
  }

  set(key: string, value: any, seconds: number): void {
    this.entries.set(key, { value, until: Date.now() + seconds * 1000 });
  }

  drop(key: string): any {
    const entry: any = this.entries.get(key);
    this.entries.delete(key);
    this.onDrop(key, entry as any);
    return entry?.value as any;
  }
}
