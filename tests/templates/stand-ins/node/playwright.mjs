// `playwright test --reporter=line --output FOLDER`: the files of e2e, each with node.
import { spawnSync } from "node:child_process";
import { listFiles } from "./sources.mjs";

const files = listFiles("e2e", /\.spec\.m?js$/);
const failed = files.filter((file) => spawnSync("node", [file], { stdio: "inherit" }).status !== 0);
process.exit(files.length > 0 && failed.length === 0 ? 0 : 1);
