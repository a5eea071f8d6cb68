import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { failure, ok, type Result } from "../../kit/result.ts";

export const SECRET_FILE_BYTES_MAX: number = 4096;

/** World-readable: a secret everyone on the host can read is none. */
const OTHERS_MAY_READ: number = 0o004;

/** The secret in a file, without the white space around it. The message names the file, never what it holds. */
export function readSecretFile(path: string, charsMin: number): Result<string> {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const status = fstatSync(file);
    if (!status.isFile()) return failure("config-invalid", `secretFile ${path} is not a file`);
    if ((status.mode & OTHERS_MAY_READ) !== 0) {
      return failure("config-invalid", `secretFile ${path} can be read by everyone`, `chmod o-rwx ${path}`);
    }
    if (status.size > SECRET_FILE_BYTES_MAX) {
      return failure("config-invalid", `secretFile ${path} is larger than ${SECRET_FILE_BYTES_MAX} bytes`);
    }
    const bytes = Buffer.alloc(SECRET_FILE_BYTES_MAX);
    const secret = bytes.toString("utf8", 0, readSync(file, bytes)).trim();
    if (secret.length < charsMin) {
      return failure("config-invalid", `secretFile ${path} holds fewer than ${charsMin} characters`);
    }
    return ok(secret);
  } catch (error) {
    return failure(
      "config-invalid",
      `secretFile ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`,
    );
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
