// `vitest run [--reporter=json --outputFile=FILE] [--sequence.shuffle --sequence.seed=N]`: 1 when a test fails or none is there.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { listFiles, takeOffTypes } from "./sources.mjs";

const option = (name) => process.argv.find((word) => word.startsWith(name + "="))?.split("=")[1];
const folder = mkdtempSync(join(tmpdir(), "vitest-"));
const own = fileURLToPath(import.meta.url);
for (const file of listFiles(".", /\.(ts|js)$/)) {
  const text = takeOffTypes(readFileSync(file, "utf8"))
    .replace(/from "vitest"/g, `from "${join(dirname(own), "vitest-api.mjs")}"`)
    .replace(/from "(\.[^"]*?)(\.js)?"/g, 'from "$1.mjs"');
  const out = join(folder, file.replace(/\.(ts|js)$/, ".mjs"));
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, text);
}
const { registered } = await import(join(dirname(own), "vitest-api.mjs"));
const testResults = [];
let tests = [];
for (const file of listFiles(".", /\.test\.(ts|js)$/)) {
  const result = { name: resolve(file), status: "passed", assertionResults: [] };
  testResults.push(result);
  try {
    await import(pathToFileURL(join(folder, file.replace(/\.(ts|js)$/, ".mjs"))));
    tests.push(...registered.splice(0).map((test) => ({ ...test, result })));
  } catch (error) {
    console.log(`FAIL ${file}: ${error.message}`);
    result.status = "failed";
  }
}
if (process.argv.includes("--sequence.shuffle")) {
  let state = Number(option("--sequence.seed")) * 7919;
  const draw = () => (state = (state * 16807 + 11) % 2147483647);
  // The first numbers of neighbouring seeds are alike.
  for (let round = 0; round < 3; round += 1) draw();
  const key = new Map(tests.map((test) => [test, draw()]));
  tests.sort((one, other) => key.get(one) - key.get(other));
}
for (const { name, call, result } of tests) {
  let status = "passed";
  try {
    await call();
  } catch (error) {
    console.log(`FAIL ${name}: ${error.message}`);
    status = result.status = "failed";
  }
  result.assertionResults.push({ title: name, status });
}
rmSync(folder, { recursive: true });
const count = (status) => testResults.flatMap((file) => file.assertionResults).filter((test) => test.status === status).length;
const report = { numPassedTests: count("passed"), numFailedTests: count("failed"), testResults };
if (option("--outputFile")) writeFileSync(option("--outputFile"), JSON.stringify(report));
console.log(`Tests ${report.numFailedTests} failed, ${report.numPassedTests} passed`);
const isGood = testResults.length > 0 && testResults.every((file) => file.status === "passed");
process.exit(isGood && tests.length > 0 ? 0 : 1);
