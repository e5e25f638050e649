// `eslint FOLDER --format json --output-file FILE` with the rules no-var and eqeqeq: 1 when there are errors.
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { listFiles } from "./sources.mjs";

const words = process.argv.slice(2);
const rules = [["no-var", /\bvar /], ["eqeqeq", /[^=!]==[^=]/]];
const files = listFiles(words[0], /\.(js|ts)x?$/).map((file) => {
  const lines = readFileSync(file, "utf8").split("\n");
  const found = lines.flatMap((line, at) => {
    const muted = /eslint-disable-line/.test(line) || /eslint-disable-next-line/.test(lines[at - 1] ?? "");
    return rules.filter(([, pattern]) => pattern.test(line)).map(([ruleId]) => ({ ruleId, severity: 2, line: at + 1, muted }));
  });
  const messages = found.filter(({ muted }) => !muted);
  const suppressedMessages = found.filter(({ muted }) => muted);
  return { filePath: resolve(file), messages, suppressedMessages, errorCount: messages.length, fatalErrorCount: 0, warningCount: 0 };
});
if (files.length === 0) {
  console.error("No files matching the pattern were found.");
  process.exit(2);
}
writeFileSync(words[words.indexOf("--output-file") + 1], JSON.stringify(files));
process.exit(files.some((file) => file.errorCount > 0) ? 1 : 0);
