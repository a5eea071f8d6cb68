/** Takes single values out of a service's JSON reply, whatever else it may hold. */

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

const at = (value: unknown, path: readonly string[]): unknown => path.reduce(fieldOf, value);

/** A text or a number, as text. */
export function wordAt(reply: unknown, ...path: string[]): string | undefined {
  const found = at(reply, path);
  return typeof found === "string" || typeof found === "number" ? String(found) : undefined;
}

export function numberAt(reply: unknown, ...path: string[]): number | undefined {
  const found = at(reply, path);
  return typeof found === "number" ? found : undefined;
}

/** The texts of a list, joined. */
export function wordsAt(reply: unknown, ...path: string[]): string | undefined {
  const found = at(reply, path);
  return Array.isArray(found) ? found.filter((each) => typeof each === "string").join("; ") : undefined;
}

/** `message 4711`: what a person can look for in the service's own records; undefined without a number. */
export const numbered = (what: string, id: string | undefined): string | undefined =>
  id === undefined ? undefined : `${what} ${id}`;
