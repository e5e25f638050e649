// `playwright test --reporter=line --output FOLDER`: the tests in `e2e`, of which none gets a browser.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listFiles } from "./sources.mjs";

const api = fileURLToPath(new URL("vitest-api.mjs", import.meta.url));
const { registered } = await import(api);
const output = process.argv[process.argv.indexOf("--output") + 1];
for (const [number, file] of listFiles("e2e", /\.spec\.m?js$/).entries()) {
  const copy = join(output, `${number}.mjs`);
  writeFileSync(copy, readFileSync(file, "utf8").replace('"@playwright/test"', JSON.stringify(api)));
  await import(copy);
}
for (const { call } of registered) await call();
process.exit(registered.length > 0 ? 0 : 1);
