// Files, and TypeScript without its types: as much of it as the examples use.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export function listFiles(folder, ending) {
  const names = readdirSync(folder).filter((name) => !["node_modules", "build", "dist"].includes(name) && !name.startsWith("."));
  return names.sort().flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return listFiles(path, ending);
    return ending.test(name) ? [path] : [];
  });
}

export function takeOffTypes(text) {
  return text.replace(/ as (any|unknown as \w+)/g, "").replace(/([\w)\]]): (number|string|boolean|unknown|any)(\[\])*/g, "$1");
}

/** A constant of a kind that it does not say: the one error of types that is known. */
export function findTypeErrors(path) {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line, at) => {
    const wrong = /: number = "/.test(line) || /: string = \d/.test(line);
    const muted = /@ts-(ignore|expect-error)/.test(lines[at - 1] ?? "");
    return wrong && !muted ? [`${path}(${at + 1},7): error TS2322: Type is not assignable.`] : [];
  });
}

/** Brackets that do not fit: what no compiler reads. */
export function findSyntaxErrors(path) {
  const text = readFileSync(path, "utf8");
  const fits = ["{}", "()", "[]"].every(([open, close]) => text.split(open).length === text.split(close).length);
  return fits ? [] : [`${path}(1,1): error TS1005: brackets do not fit.`];
}
