// `tsc --noEmit --incremental false [--noCheck] [--pretty false]`, and `--outDir FOLDER`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findSyntaxErrors, findTypeErrors, listFiles, takeOffTypes } from "./sources.mjs";

const words = process.argv.slice(2);
const settings = readFileSync("tsconfig.json", "utf8");
const files = listFiles(".", settings.includes("allowJs") ? /\.[jt]sx?$/ : /\.tsx?$/);
if (files.length === 0) {
  console.log("error TS18003: No inputs were found in config file 'tsconfig.json'.");
  process.exit(2);
}
let errors = files.flatMap(findSyntaxErrors);
if (errors.length === 0 && !words.includes("--noCheck")) errors = files.flatMap(findTypeErrors);
for (const error of errors) console.log(error);
if (words.includes("--outDir")) {
  for (const file of files.filter((name) => !name.endsWith(".test.ts"))) {
    const out = join(words[words.indexOf("--outDir") + 1], file.replace(/\.tsx?$/, ".js"));
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, takeOffTypes(readFileSync(file, "utf8")));
  }
}
process.exit(errors.length === 0 ? 0 : 2);
