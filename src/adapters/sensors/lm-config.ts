/** Reads lm-sensors' configuration, where the package is installed. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { lmRules } from "../../wire/lm-config.ts";
import type { LmRules } from "../../wire/lm-sensors.ts";

/** Where libsensors 3.6 looks (sensors.conf(5), FILES): the first of these, then the folder. */
const FILES = ["sensors3.conf", "sensors.conf"];
const FOLDER = "sensors.d";
const FILES_MAX = 100;
const BYTES_MAX = 1_000_000;

/** `etc`: the folder they are in. */
export async function readLmRules(etc: string = "/etc"): Promise<LmRules> {
  const own = await Promise.all(FILES.map((name) => textOf(join(etc, name))));
  const extra = await readdir(join(etc, FOLDER)).catch(() => []);
  const more = await Promise.all(
    extra
      .filter((name) => !name.startsWith("."))
      .toSorted()
      .slice(0, FILES_MAX)
      .map((name) => textOf(join(etc, FOLDER, name))),
  );
  const main = own.find((text) => text !== undefined);
  return lmRules([main, ...more].filter((text) => text !== undefined));
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() && found.size <= BYTES_MAX ? await readFile(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
