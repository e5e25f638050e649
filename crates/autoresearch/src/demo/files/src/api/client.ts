export type Transport = (url: string, init: any) => Promise<any>;

export class Client {
  constructor(private base: string, private transport: Transport) {}

  async fetch(path: string, query: any): Promise<any> {
    const keys = Object.keys(query).map((key) => `${key}=${query[key]}`);
    return this.transport(`${this.base}${path}?${keys.join("&")}`, {});
  }

  async send(path: string, body: any): Promise<any> {
    const answer: any = await this.transport(this.base + path, { body });
    return answer as any;
  }
}
