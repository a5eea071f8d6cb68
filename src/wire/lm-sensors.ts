/**
 * What `sensors -j` of lm-sensors 3.6 prints for the same chips, to the byte. Its format is its own:
 * texts are not escaped, chips of one name come twice, `nan` can stand for a number. A test compares
 * it with Debian's own program.
 */
import type { ChipBus } from "../core/thermal/raw.ts";
import { cNumber, formatThousandths } from "./c-numbers.ts";
import { featureName, type Subfeature, subfeatureOf } from "./lm-subfeatures.ts";

/** All of one chip's folder, unlike a `RawChip`. */
export interface LmChip {
  /** The driver's name of it. */
  readonly prefix: string;
  readonly bus: ChipBus;
  /** Of an I2C bus; null when it has none, and for the other buses, whose names are fixed. */
  readonly adapter: string | null;
  /** In the order in which the folder lists them. */
  readonly files: readonly LmFile[];
  /** By feature: `temp1` to the text of `temp1_label`, as it is, with its newline. */
  readonly labels: ReadonlyMap<string, string>;
}

export interface LmFile {
  readonly name: string;
  /** The owner may read it, by its mode. */
  readonly readable: boolean;
  /** Null when reading failed. */
  readonly text: string | null;
}

/** Statements of lm-sensors' configuration that change what is printed. */
export interface LmRules {
  /** What `label` calls a feature of the chip; undefined without such a statement. */
  label(chip: LmChip, feature: string): string | undefined;
  ignored(chip: LmChip, feature: string): boolean;
  /** Undefined when the statement cannot be worked out: then nothing is printed, as with an unreadable file. */
  computed(chip: LmChip, feature: string, value: number, another: ValueOf): number | undefined;
}

/** Value of another file of the chip, by name; for expressions. */
export type ValueOf = (file: string) => number | undefined;

export const NO_RULES: LmRules = {
  label: () => undefined,
  ignored: () => false,
  computed: (_chip, _feature, value) => value,
};

/** The document, newline at the end included. */
export function lmSensorsJson(chips: readonly LmChip[], rules: LmRules = NO_RULES): string {
  const shown = chips.filter((chip) => featuresOf(chip).length > 0);
  const parts = shown.map((chip) => chipText(chip, twinOf(chip, shown), rules));
  return `{\n${parts.join(",\n")}\n}\n`;
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

/** `coretemp-isa-0000`, `jc42-i2c-0-1a` (libsensors, sensors_snprintf_chip_name). */
export function chipName({ prefix, bus }: Pick<LmChip, "prefix" | "bus">): string {
  const { type, number, address } = bus;
  switch (type) {
    case "isa":
    case "pci":
      return `${prefix}-${type}-${hex(address, 4)}`;
    case "i2c":
      return `${prefix}-i2c-${number}-${hex(address, 2)}`;
    case "spi":
    case "hid":
    case "scsi":
      return `${prefix}-${type}-${number}-${hex(address, 1)}`;
    default:
      return `${prefix}-${type}-${hex(address, 1)}`;
  }
}

const ADAPTERS = {
  isa: "ISA adapter",
  pci: "PCI adapter",
  spi: "SPI adapter",
  virtual: "Virtual device",
  acpi: "ACPI interface",
  hid: "HID adapter",
  mdio: "MDIO adapter",
  scsi: "SCSI adapter",
} as const;

const adapterName = ({ bus, adapter }: LmChip): string | null =>
  bus.type === "i2c" ? adapter : ADAPTERS[bus.type];

/** libsensors finds a chip by its name: of several with one name, all show the first one's features. */
const twinOf = (chip: LmChip, all: readonly LmChip[]): LmChip => {
  const name = chipName(chip);
  return all.find((other) => chipName(other) === name) ?? chip;
};

interface Feature {
  readonly name: string;
  readonly files: readonly { readonly file: LmFile; readonly subfeature: Subfeature }[];
}

/** Sorted as libsensors sorts; of two files for one place (`temp1_input`, `temp01_input`) the first listed counts. */
function featuresOf(chip: LmChip): readonly Feature[] {
  const features = new Map<number, Map<number, { file: LmFile; subfeature: Subfeature }>>();
  for (const file of chip.files) {
    const subfeature = subfeatureOf(file.name);
    if (subfeature === undefined) continue;
    const place = subfeature.kindOrder * 2048 + subfeature.channel;
    const slots = features.get(place) ?? new Map<number, { file: LmFile; subfeature: Subfeature }>();
    features.set(place, slots);
    if (!slots.has(subfeature.order)) slots.set(subfeature.order, { file, subfeature });
  }
  return [...features]
    .sort(([a], [b]) => a - b)
    .flatMap(([, slots]) => {
      const files = [...slots].sort(([a], [b]) => a - b).map(([, entry]) => entry);
      const first = files[0];
      return first === undefined
        ? []
        : [{ name: featureName(first.file.name, first.subfeature.kind), files }];
    });
}

function chipText(chip: LmChip, twin: LmChip, rules: LmRules): string {
  const features = featuresOf(twin)
    .filter(({ name }) => !rules.ignored(chip, name))
    .map((feature) => featureText(chip, feature, rules));
  const adapter = adapterName(chip);
  const head = `   "${chipName(chip)}":{\n`;
  const line = adapter === null ? "" : `      "Adapter": "${adapter}"${features.length === 0 ? "\n" : ",\n"}`;
  return `${head}${line}${features.join(",\n")}${features.length === 0 ? "" : "\n"}   }`;
}

/** A file that may not be read stands there as the label in parentheses: so the program prints it. */
function featureText(chip: LmChip, feature: Feature, rules: LmRules): string {
  const label = rules.label(chip, feature.name) ?? ownLabel(chip, feature.name);
  let text = "";
  let count = 0;
  for (const { file, subfeature } of feature.files) {
    if (!file.readable) {
      text += `(${label})`;
      count += 1;
      continue;
    }
    const value = printedValue(chip, feature.name, file.name, subfeature, rules, 0);
    if (value === undefined) continue;
    text += `${count > 0 ? ",\n" : ""}         "${file.name}": ${formatThousandths(value)}`;
    count += 1;
  }
  return `      "${label}":{\n${text}\n      }`;
}

/** The file's text up to a NUL, without its last character, which is a newline. */
function ownLabel(chip: LmChip, feature: string): string {
  const text = chip.labels.get(feature);
  if (text === undefined || text === "") return feature;
  const [start = ""] = text.split("\0", 1);
  return start.slice(0, -1);
}

/** Expressions may name other files, whose own expressions apply; circles end here, as in libsensors. */
const DEPTH_MAX = 8;

function printedValue(
  chip: LmChip,
  feature: string,
  name: string,
  { scale, computed }: Subfeature,
  rules: LmRules,
  depth: number,
): number | undefined {
  const own = chip.files.find((file) => file.name === name);
  const number = own?.readable === true && own.text !== null ? cNumber(own.text) : undefined;
  if (number === undefined || depth >= DEPTH_MAX) return undefined;
  const value = number / scale;
  if (!computed) return value;
  return rules.computed(chip, feature, value, (other) => {
    const subfeature = subfeatureOf(other);
    if (subfeature === undefined) return undefined;
    return printedValue(chip, featureName(other, subfeature.kind), other, subfeature, rules, depth + 1);
  });
}
