/** Reads all of every chip, once: what `sensors -j` would read. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { LmChip, LmFile } from "../../wire/lm-sensors.ts";
import { subfeatureOf } from "../../wire/lm-subfeatures.ts";
import type { FoundChip } from "./chips.ts";
import { type Attribute, attribute, type PatientReader } from "./patient-reader.ts";

/** Owner's permission to read: what libsensors goes by, whoever asks. */
const OWNER_READ = 0o400;

interface Planned {
  readonly chip: FoundChip;
  readonly files: readonly { readonly name: string; readonly readable: boolean; readonly file: Attribute }[];
  readonly labels: readonly { readonly feature: string; readonly file: Attribute }[];
}

/** `asleep`: chips whose values are not to be asked for. */
export async function dumpChips(
  chips: readonly FoundChip[],
  patient: PatientReader,
  asleep: (chip: FoundChip) => boolean,
): Promise<readonly LmChip[]> {
  const plans = await Promise.all(chips.map((chip) => plan(chip)));
  await patient.read(
    plans.map(({ chip, files, labels }) => ({
      key: chip.lane,
      attributes: [
        ...labels.map(({ file }) => file),
        ...(asleep(chip) ? [] : files.filter(({ readable }) => readable).map(({ file }) => file)),
      ],
    })),
  );
  return plans.map(dumped);
}

async function plan(chip: FoundChip): Promise<Planned> {
  const known = chip.files.filter((name) => subfeatureOf(name) !== undefined);
  const files = await Promise.all(
    known.map(async (name) => {
      const path = join(chip.folder, name);
      const mode = await stat(path).then(
        (found) => found.mode,
        () => 0,
      );
      return { name, readable: (mode & OWNER_READ) !== 0, file: attribute(path, false) };
    }),
  );
  const labels = chip.files
    .filter((name) => name.endsWith("_label"))
    .map((name) => ({
      feature: name.slice(0, -"_label".length),
      file: attribute(join(chip.folder, name), false),
    }));
  return { chip, files, labels };
}

function dumped({ chip, files, labels }: Planned): LmChip {
  return {
    prefix: chip.driver,
    bus: chip.bus,
    adapter: chip.adapter,
    files: files.map(({ name, readable, file }): LmFile => ({ name, readable, text: file.text })),
    labels: new Map(
      labels.flatMap(({ feature, file }) => (file.text === null ? [] : [[feature, file.text]])),
    ),
  };
}
