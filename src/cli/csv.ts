/** One line of comma-separated values (RFC 4180): nothing for what is not known. */
export const csvLine = (fields: readonly (string | number | null)[]): string => fields.map(field).join(",");

function field(value: string | number | null): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
