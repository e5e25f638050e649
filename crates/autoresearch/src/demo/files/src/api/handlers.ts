import { Client } from "./client";
import { Cache } from "../store/cache";

export class Handlers {
  constructor(private client: Client, private cache: Cache) {}

  async list(request: any): Promise<any> {
    const page: any = request.query.page ?? 1;
    const hit = this.cache.get(`list:${page}`);
    return hit ?? this.client.fetch("/items", { page });
  }

  async show(request: any): Promise<any> {
    const id: any = request.params.id;
    const item: any = await this.client.fetch(`/items/${id}`, {});
    return item;
  }

  async create(request: any): Promise<any> {
    const body: any = request.body;
    this.cache.drop("list:1");
    return this.client.send("/items", body as any);
  }

  async remove(request: any): Promise<any> {
    const id: any = request.params.id;
    return this.client.send(`/items/${id}/remove`, {});
  }
}
