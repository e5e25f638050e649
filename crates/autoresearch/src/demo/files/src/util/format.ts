export function money(value: any, currency: any): string {
  return `${Number(value).toFixed(2)} ${currency}`;
}

export function list(values: any[]): string {
  return values.map((value: any) => String(value)).join(", ");
}

export function table(rows: any[][]): string {
  return rows.map((row) => row.join("\t")).join("\n");
}
