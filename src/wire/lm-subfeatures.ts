/**
 * The attributes libsensors 3.6 knows, in the order in which it lists them: kinds of sensors as here,
 * within a sensor what follows the value first, then alarms and other flags (sensors(3), libsensors.h).
 */

export interface Subfeature {
  /** `temp`: what stands before the number. */
  readonly kind: string;
  /** From 0, in which kinds are listed. */
  readonly kindOrder: number;
  /** As in the file's name; temperatures, fans and others count from 1, the rest from 0. */
  readonly channel: number;
  /** Within a sensor. */
  readonly order: number;
  /** The file's number divided by this is printed. */
  readonly scale: number;
  /** Whether `compute` statements apply. */
  readonly computed: boolean;
}

interface Kind {
  readonly name: string;
  readonly first: 0 | 1;
  readonly scale: number;
  /** Scaled and computed. */
  readonly values: readonly string[];
  /** Neither scaled nor computed, but for those in `FLAG_SCALES`. */
  readonly flags: readonly string[];
}

const words = (text: string): readonly string[] => text.split(" ").filter((word) => word !== "");

const KINDS: readonly Kind[] = [
  {
    name: "in",
    first: 0,
    scale: 1000,
    values: words("input min max lcrit crit average lowest highest"),
    flags: words("alarm min_alarm max_alarm beep lcrit_alarm crit_alarm"),
  },
  {
    name: "fan",
    first: 1,
    scale: 1,
    values: words("input min max"),
    flags: words("alarm fault div beep pulses min_alarm max_alarm"),
  },
  {
    name: "temp",
    first: 1,
    scale: 1000,
    values: words(
      "input max max_hyst min crit crit_hyst lcrit emergency emergency_hyst lowest highest min_hyst lcrit_hyst",
    ),
    flags: words("alarm max_alarm min_alarm crit_alarm fault type offset beep emergency_alarm lcrit_alarm"),
  },
  {
    name: "power",
    first: 1,
    scale: 1_000_000,
    values: words(
      "average average_highest average_lowest input input_highest input_lowest cap cap_hyst max crit min lcrit",
    ),
    flags: words("average_interval alarm cap_alarm max_alarm crit_alarm min_alarm lcrit_alarm"),
  },
  { name: "energy", first: 1, scale: 1_000_000, values: ["input"], flags: [] },
  {
    name: "curr",
    first: 1,
    scale: 1000,
    values: words("input min max lcrit crit average lowest highest"),
    flags: words("alarm min_alarm max_alarm beep lcrit_alarm crit_alarm"),
  },
  { name: "humidity", first: 1, scale: 1000, values: ["input"], flags: [] },
  { name: "cpu", first: 0, scale: 1, values: [], flags: ["vid"] },
  { name: "intrusion", first: 0, scale: 1, values: [], flags: words("alarm beep") },
];

const FLAG_SCALES: ReadonlyMap<string, number> = new Map([
  ["power average_interval", 1000],
  ["cpu vid", 1000],
  ["temp offset", 1000],
]);

interface Known {
  readonly kindOrder: number;
  readonly first: 0 | 1;
  readonly order: number;
  readonly scale: number;
  readonly computed: boolean;
}

const KNOWN: ReadonlyMap<string, Known> = new Map(
  KINDS.flatMap(({ name, first, scale, values, flags }, kindOrder) =>
    [...values, ...flags].map((attribute, order): [string, Known] => {
      const computed = order < values.length;
      const key = `${name} ${attribute}`;
      return [
        key,
        { kindOrder, first, order, computed, scale: computed ? scale : (FLAG_SCALES.get(key) ?? 1) },
      ];
    }),
  ),
);

const FILE = /^([a-z]+)(\d{1,9})_([a-z_]+)$/;
/** Higher channel numbers are not looked at, as libsensors does not. */
const CHANNELS_MAX = 1024;

/** What libsensors sees in a file of this name; undefined when it passes it by. */
export function subfeatureOf(file: string): Subfeature | undefined {
  if (file === "beep_enable")
    return { kind: "beep_enable", kindOrder: KINDS.length, channel: 0, order: 0, scale: 1, computed: false };
  const [, kind = "", number = "", attribute = ""] = FILE.exec(file) ?? [];
  const known = KNOWN.get(`${kind} ${attribute}`);
  if (known === undefined) return undefined;
  const channel = Number(number);
  if (channel < known.first || channel - known.first >= CHANNELS_MAX) return undefined;
  const { kindOrder, order, scale, computed } = known;
  return { kind, kindOrder, channel, order, scale, computed };
}

/** The sensor a file belongs to: `temp1_max` to `temp1`; `cpu0_vid` and `beep_enable` are their own. */
export const featureName = (file: string, kind: string): string =>
  kind === "cpu" || kind === "beep_enable" ? file : file.slice(0, file.indexOf("_"));
