import { Client } from "./api/client";
import { Handlers } from "./api/handlers";
import { Cache } from "./store/cache";

export function start(base: string): Handlers {
  const client = new Client(base, async (url, init) => ({ url, init }));
  return new Handlers(client, new Cache());
}
