export function isRecord(value: any): boolean {
  return typeof value === "object" && value !== null;
}

export function hasKey(value: any, key: string): boolean {
  return isRecord(value) && key in value;
}

export function assertString(value: any): string {
  if (typeof value !== "string") {
    throw new Error("expected a string");
  }
  return value;
}

export function parse(text: string): any {
  return JSON.parse(text);
}
