// `vite build --outDir FOLDER --emptyOutDir --logLevel error`: the sources joined, without comments and indents.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listFiles, takeOffTypes } from "./sources.mjs";

const out = process.argv[process.argv.indexOf("--outDir") + 1];
mkdirSync(out, { recursive: true });
// Emptied and not removed, as the real one does it: the folder may be where a file system begins.
for (const name of readdirSync(out)) rmSync(join(out, name), { recursive: true });
mkdirSync(join(out, "assets"));
const sources = listFiles("src", /\.tsx?$/).map((file) => takeOffTypes(readFileSync(file, "utf8")));
const text = sources.join("\n").replace(/^\s*(\/\/.*)?\n/gm, "").replace(/^\s+/gm, "");
copyFileSync("index.html", join(out, "index.html"));
writeFileSync(join(out, "assets", "index.js"), text);
