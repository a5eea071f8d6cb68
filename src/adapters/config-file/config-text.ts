/** Reads the text of a configuration file, whatever the path leads to: bounded, and strictly UTF-8. */
import { type FileHandle, open } from "node:fs/promises";
import { failure, ok, type Result } from "../../kit/result.ts";
import { CONFIG_BYTES_MAX } from "../../wire/config-schema.ts";

export interface ConfigText {
  readonly text: string;
  /** Permission bits of the file, as `stat` gives them. */
  readonly mode: number;
}

/** Undefined when there is no such file. */
export async function readConfigText(path: string): Promise<Result<ConfigText | undefined>> {
  try {
    const file = await open(path, "r");
    try {
      const { mode } = await file.stat();
      const bytes = await readAtMost(file, CONFIG_BYTES_MAX + 1);
      if (bytes.length > CONFIG_BYTES_MAX) return unusable(path, `is longer than ${CONFIG_BYTES_MAX} bytes`);
      return ok({ text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), mode });
    } finally {
      await file.close();
    }
  } catch (error) {
    return readFailure(path, error);
  }
}

/** Pipes and devices have no size to look at first. */
async function readAtMost(file: FileHandle, limit: number): Promise<Buffer> {
  const buffer = Buffer.alloc(limit);
  let length = 0;
  while (length < limit) {
    const { bytesRead } = await file.read(buffer, length, limit - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function readFailure(path: string, error: unknown): Result<undefined> {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return ok(undefined);
    case "EACCES":
    case "EPERM":
      return failure("permission-denied", `you may not read ${path}`, "Run the command as root.");
    case "EISDIR":
      return unusable(path, "is a folder");
    case "ERR_ENCODING_INVALID_ENCODED_DATA":
      return unusable(path, "is not UTF-8 text");
    default:
      throw error;
  }
}

const unusable = (path: string, what: string): Result<never> =>
  failure(
    "config-invalid",
    `${path} ${what}`,
    "docs/configuration.md shows what a configuration file looks like.",
  );
