/** Sorts a chip's files into channels: the value, the fault bit, and what changes rarely. */
import { join } from "node:path";
import type { ChannelType, RawChannel, Setting } from "../../core/thermal/raw.ts";
import { type Attribute, attribute } from "./patient-reader.ts";

/** Channels of one chip; the largest have some hundred. */
export const CHANNELS_MAX: number = 512;

export interface Channel {
  readonly type: ChannelType;
  readonly index: number;
  readonly value: Attribute;
  readonly fault: Attribute | undefined;
  readonly label: Attribute | undefined;
  readonly settings: ReadonlyMap<Setting, Attribute>;
}

const FILE = /^(temp|fan|in|curr|power|humidity)(\d{1,4})_([a-z_]+)$/;
const ORDER: readonly ChannelType[] = ["temp", "fan", "in", "curr", "power", "humidity"];
const SETTINGS: ReadonlySet<string> = new Set([
  "min",
  "max",
  "crit",
  "lcrit",
  "emergency",
  "cap",
  "alarm",
  "min_alarm",
  "max_alarm",
  "crit_alarm",
  "lcrit_alarm",
  "emergency_alarm",
] satisfies Setting[]);

interface Sorted {
  readonly channels: readonly Channel[];
  /** Beyond the limit. */
  readonly left: number;
}

export function channelsOf(folder: string, files: readonly string[]): Sorted {
  const byChannel = new Map<string, { type: ChannelType; index: number; names: Map<string, string> }>();
  for (const file of files) {
    const [, type, number, name] = FILE.exec(file) ?? [];
    if (type === undefined || number === undefined || name === undefined) continue;
    const index = Number(number);
    const key = `${type} ${index}`;
    const entry = byChannel.get(key) ?? { type: type as ChannelType, index, names: new Map() };
    byChannel.set(key, entry);
    if (!entry.names.has(name)) entry.names.set(name, file);
  }
  const complete = [...byChannel.values()]
    .filter(({ names }) => names.has("input") || names.has("average"))
    .sort((a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type) || a.index - b.index);
  const channels = complete
    .slice(0, CHANNELS_MAX)
    .map(({ type, index, names }) => channel(folder, type, index, names));
  return { channels, left: complete.length - channels.length };
}

function channel(
  folder: string,
  type: ChannelType,
  index: number,
  names: ReadonlyMap<string, string>,
): Channel {
  const held = (name: string): Attribute | undefined => {
    const file = names.get(name);
    return file === undefined ? undefined : attribute(join(folder, file), true);
  };
  const settings = [...names].flatMap(([name, file]): [Setting, Attribute][] =>
    SETTINGS.has(name) ? [[name as Setting, attribute(join(folder, file), false)]] : [],
  );
  const label = names.get("label");
  return {
    type,
    index,
    value: held("input") ?? held("average") ?? attribute("", false),
    fault: held("fault"),
    label: label === undefined ? undefined : attribute(join(folder, label), false),
    settings: new Map(settings),
  };
}

/** What is known of a channel without its value. */
export function described({ type, index, label, settings }: Channel): RawChannel {
  const text = label?.text?.trim() ?? "";
  return {
    type,
    index,
    label: text === "" ? null : text,
    settings: new Map(
      [...settings].flatMap(([name, { text }]) => (text === null ? [] : [[name, text.trim()]])),
    ),
  };
}

/** Whether the settings read now differ from those described before. */
export const changed = (channels: readonly Channel[], before: readonly RawChannel[]): boolean =>
  channels.some(({ settings }, at) => {
    const known = before[at]?.settings;
    for (const [name, { text }] of settings)
      if (text !== null && known?.get(name) !== text.trim()) return true;
    return false;
  });
