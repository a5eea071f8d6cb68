import { failure, type Result } from "../../kit/result.ts";

/**
 * The schema has seen what the configuration holds; the same shape is asked here of what stood in
 * files, since a header or a path cannot carry everything.
 */
export function shaped<S extends Readonly<Partial<Record<string, string>>>>(
  secrets: Result<S>,
  shapes: { readonly [K in keyof S]-?: RegExp },
): Result<S> {
  if (!secrets.ok) return secrets;
  for (const [key, shape] of Object.entries(shapes)) {
    const secret = secrets.value[key];
    if (secret !== undefined && !(shape as RegExp).test(secret)) {
      return failure("config-invalid", `${key}File holds something that cannot be a ${key}`);
    }
  }
  return secrets;
}
