// What tests import from vitest.
import { deepStrictEqual, throws } from "node:assert/strict";

export const registered = [];

export function test(name, call) {
  registered.push({ name, call });
}

export function expect(value) {
  const toBe = (wanted) => deepStrictEqual(value, wanted);
  return { toBe, toEqual: toBe, toThrow: () => throws(value) };
}
