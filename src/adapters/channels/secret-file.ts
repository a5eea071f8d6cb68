import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { failure, ok, type Result } from "../../kit/result.ts";

/** Reads of a channel's settings each `key`, or what the file of `keyFile` holds. */
export function readSecrets<K extends string>(
  config: Readonly<Partial<Record<NoInfer<K> | `${NoInfer<K>}File`, unknown>>>,
  charsMin: Readonly<Record<K, number>>,
): Result<Readonly<Partial<Record<K, string>>>> {
  const found: Partial<Record<K, string>> = {};
  for (const key of Object.keys(charsMin) as K[]) {
    const written = config[key];
    const path = config[`${key}File`];
    if (typeof written === "string") found[key] = written;
    else if (typeof path === "string") {
      const read = readSecretFile(`${key}File`, path, charsMin[key]);
      if (!read.ok) return read;
      found[key] = read.value;
    }
  }
  return ok(found);
}

export const SECRET_FILE_BYTES_MAX: number = 4096;

/** World-readable: a secret everyone on the host can read is none. */
const OTHERS_MAY_READ: number = 0o004;

/** The secret in a file, without the white space around it. The message names setting and file, never what it holds. */
function readSecretFile(setting: string, path: string, charsMin: number): Result<string> {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const status = fstatSync(file);
    if (!status.isFile()) return failure("config-invalid", `${setting} ${path} is not a file`);
    if ((status.mode & OTHERS_MAY_READ) !== 0) {
      return failure("config-invalid", `${setting} ${path} can be read by everyone`, `chmod o-rwx ${path}`);
    }
    if (status.size > SECRET_FILE_BYTES_MAX) {
      return failure("config-invalid", `${setting} ${path} is larger than ${SECRET_FILE_BYTES_MAX} bytes`);
    }
    const bytes = Buffer.alloc(SECRET_FILE_BYTES_MAX);
    const secret = bytes.toString("utf8", 0, readSync(file, bytes)).trim();
    if (secret.length < charsMin) {
      return failure("config-invalid", `${setting} ${path} holds fewer than ${charsMin} characters`);
    }
    return ok(secret);
  } catch (error) {
    return failure(
      "config-invalid",
      `${setting} ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`,
    );
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
