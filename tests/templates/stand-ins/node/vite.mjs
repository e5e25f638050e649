// `vite build --outDir FOLDER --emptyOutDir --logLevel error`: the sources joined, without comments and indents.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listFiles, takeOffTypes } from "./sources.mjs";

const out = process.argv[process.argv.indexOf("--outDir") + 1];
rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "assets"), { recursive: true });
const sources = listFiles("src", /\.tsx?$/).map((file) => takeOffTypes(readFileSync(file, "utf8")));
const text = sources.join("\n").replace(/^\s*(\/\/.*)?\n/gm, "").replace(/^\s+/gm, "");
copyFileSync("index.html", join(out, "index.html"));
writeFileSync(join(out, "assets", "index.js"), text);
