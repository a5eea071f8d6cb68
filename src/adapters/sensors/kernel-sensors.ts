/** The kernel's sensors: looks again and again at files that stay open, and notices chips that come and go. */
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { RawChip, RawPass, RawValue } from "../../core/thermal/raw.ts";
import { between, type Duration, type Instant, minutes, seconds } from "../../kit/time.ts";
import type { Moment, Sensors } from "../../ports/sensors.ts";
import { type Channel, changed, channelsOf, described } from "./channels.ts";
import { type FoundChip, findChips, type Sysfs } from "./chips.ts";
import { askable, type DiskWatch, lookAfter, remember } from "./disk-watch.ts";
import { diskBehind, pciSlots, slotOf } from "./disks.ts";
import { dumpChips } from "./lm-dump.ts";
import { type Batch, createPatientReader, LANES_MAX, release } from "./patient-reader.ts";
import { VIRTUAL_BUS } from "./places.ts";
import { findZones, type Zone } from "./zones.ts";

export const SYSFS_DEFAULT: string = "/sys";
/** All is looked for anew this often, and when chips come or go. */
export const DISCOVERY_INTERVAL: Duration = minutes(10);
/** The list of chips is looked at this often. */
export const LIST_INTERVAL: Duration = seconds(30);
/** A file that vanished leads to a search, but no more often than this. */
export const SEARCH_INTERVAL: Duration = minutes(1);

/** Of all chips together; further ones are not read. Each holds one file open, with a fault bit two. */
export const SENSORS_MAX: number = 1024;

export interface SensorsOptions {
  /** Default: `SYSFS_DEFAULT`. */
  readonly root?: string;
  /** Whether a driver of this name measures a CPU: where one does, thermal zones are not read. */
  readonly isCpuDriver: (driver: string) => boolean;
  /** How long a driver may take; default: `ANSWER_TIMEOUT_MS`. */
  readonly timeoutMs?: number;
}

/** A chip with its open files. */
export interface Watched {
  raw: RawChip;
  readonly channels: readonly Channel[];
  readonly lane: string;
  /** Of a rotational disk. */
  readonly disk: DiskWatch | undefined;
}

interface Known {
  readonly watched: readonly Watched[];
  readonly entries: string;
  readonly foundAt: Instant;
  listedAt: Instant;
  readonly left: number;
  readonly withSettings: readonly { readonly each: Watched; readonly channel: Channel }[];
  /** What the core sees; replaced when a chip's settings change. */
  chips: readonly RawChip[];
}

export function createSensors(options: SensorsOptions): Sensors {
  const sysfs: Sysfs = {
    root: options.root ?? SYSFS_DEFAULT,
    patient: createPatientReader(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  };
  let known: Known | undefined;
  let turn = 0;
  let vanished = false;
  let under: Promise<unknown> = Promise.resolve();

  const current = async (now: Instant): Promise<Known> => {
    if (known !== undefined && !(await outdated(sysfs, known, now, vanished))) return known;
    if (known !== undefined) close(known);
    vanished = false;
    known = await discover(sysfs, options.isCpuDriver, now, known);
    return known;
  };

  const pass = async (at: Moment): Promise<RawPass> => {
    const state = await current(at.now);
    await refreshSettings(sysfs, state, turn);
    turn += 1;
    const asked = await askable(sysfs, state.watched, at.now);
    await sysfs.patient.read(batchesOf(state.watched.filter((each) => asked.has(each))));
    await lookAfter(sysfs, state.watched, asked, at.now);
    const values = state.watched.map((each) =>
      asked.has(each)
        ? remember(each, fresh(each, at))
        : (each.disk?.last ?? each.channels.map(() => ASLEEP)),
    );
    vanished ||= values.some((of) => of.some(({ outcome }) => outcome === "missing"));
    return { at: at.wall, chips: state.chips, values, left: state.left };
  };

  /** One at a time: what reads the same files has to wait for its turn. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = under.then(work);
    under = result.catch(() => undefined);
    return result;
  };

  return {
    read: (at) => inTurn(() => pass(at)),
    dump: (_at, wakeDisks) => inTurn(() => dump(sysfs, wakeDisks)),
    stuck: () => sysfs.patient.stuck(),
    close: () => {
      if (known !== undefined) close(known);
      known = undefined;
    },
  };
}

export const ASLEEP: RawValue = { outcome: "asleep", text: null, fault: false, at: null };

async function outdated(sysfs: Sysfs, known: Known, now: Instant, vanished: boolean): Promise<boolean> {
  // A search would find nothing, and all sensors would seem to be gone.
  if (sysfs.patient.stuck() >= LANES_MAX) return false;
  const age = between(known.foundAt, now);
  if (age >= DISCOVERY_INTERVAL || (vanished && age >= SEARCH_INTERVAL)) return true;
  if (between(known.listedAt, now) < LIST_INTERVAL) return false;
  known.listedAt = now;
  return (await entriesOf(sysfs.root)) !== known.entries;
}

const entriesOf = async (root: string): Promise<string> =>
  readdir(join(root, "class/hwmon")).then(
    (names) => names.toSorted().join(" "),
    () => "",
  );

async function discover(
  sysfs: Sysfs,
  isCpuDriver: (driver: string) => boolean,
  now: Instant,
  before: Known | undefined,
): Promise<Known> {
  const entries = await entriesOf(sysfs.root);
  const found = await findChips(sysfs);
  const slots = await pciSlots(sysfs);
  let left = found.left;
  let count = 0;
  const watched: Watched[] = [];
  for (const chip of found.chips) {
    const sorted = channelsOf(chip.folder, chip.files);
    const channels = sorted.channels.slice(0, SENSORS_MAX - count);
    count += channels.length;
    left += sorted.left + sorted.channels.length - channels.length;
    if (channels.length > 0) watched.push(await watch(sysfs, chip, channels, slots, before));
  }
  if (!watched.some(({ raw }) => isCpuDriver(raw.driver))) {
    const drivers = new Set(watched.map(({ raw }) => raw.driver));
    watched.push(...(await findZones(sysfs, drivers)).map(zoneChip));
  }
  await sysfs.patient.read(watched.map(stillBatch));
  for (const each of watched) describe(each);
  const withSettings = watched.flatMap((each) =>
    each.channels.filter(({ settings }) => settings.size > 0).map((channel) => ({ each, channel })),
  );
  return {
    watched,
    withSettings,
    entries,
    foundAt: now,
    listedAt: now,
    left,
    chips: watched.map(({ raw }) => raw),
  };
}

async function watch(
  sysfs: Sysfs,
  chip: FoundChip,
  channels: readonly Channel[],
  slots: ReadonlyMap<string, string>,
  before: Known | undefined,
): Promise<Watched> {
  const disk = await diskBehind(sysfs, chip);
  const { driver, place, bus, devicePath } = chip;
  const raw: RawChip = {
    driver,
    place,
    bus,
    device: devicePath === undefined ? null : basename(devicePath),
    slot: await slotOf(devicePath, slots),
    disk: disk ?? null,
    channels: [],
  };
  // A search must not forget when a disk was last asked.
  const same = before?.watched.find(
    (each) => each.disk !== undefined && each.disk.statPath === disk?.statPath,
  );
  const look = disk?.rotational === true ? (same?.disk ?? { statPath: disk.statPath }) : undefined;
  return { raw, channels, lane: chip.lane, disk: look };
}

const zoneChip = ({ type, folder, channel }: Zone): Watched => ({
  raw: {
    driver: type,
    place: `zone/${type}`,
    bus: VIRTUAL_BUS,
    device: null,
    slot: null,
    disk: null,
    channels: [],
  },
  channels: [channel],
  lane: folder,
  disk: undefined,
});

/** Labels and settings: none of them asks a disk. */
const stillBatch = ({ lane, channels }: Watched): Batch => ({
  key: lane,
  attributes: channels.flatMap(({ label, settings }) => [
    ...(label === undefined ? [] : [label]),
    ...settings.values(),
  ]),
});

const describe = (each: Watched): void => {
  each.raw = { ...each.raw, channels: each.channels.map(described) };
};

/** One channel's limits and alarm bits each pass, in turn: they change rarely, and a pass should cost little. */
async function refreshSettings(sysfs: Sysfs, state: Known, turn: number): Promise<void> {
  const chosen = state.withSettings[turn % Math.max(1, state.withSettings.length)];
  if (chosen === undefined) return;
  const { each, channel } = chosen;
  await sysfs.patient.read([{ key: each.lane, attributes: [...channel.settings.values()] }]);
  if (!changed(each.channels, each.raw.channels)) return;
  describe(each);
  state.chips = state.watched.map(({ raw }) => raw);
}

function batchesOf(watched: readonly Watched[]): readonly Batch[] {
  return watched.map(({ lane, channels }) => ({
    key: lane,
    attributes: channels.flatMap(({ value, fault }) => (fault === undefined ? [value] : [fault, value])),
  }));
}

const fresh = ({ channels }: Watched, at: Moment): readonly RawValue[] =>
  channels.map(({ value, fault }) => ({
    outcome: value.outcome,
    text: value.text === null ? null : value.text.trim(),
    fault: fault?.text?.startsWith("1") === true,
    at: value.outcome === "read" ? at.wall : null,
  }));

function close({ watched }: Known): void {
  for (const { channels } of watched)
    for (const { value, fault } of channels) {
      release(value);
      if (fault !== undefined) release(fault);
    }
}

async function dump(sysfs: Sysfs, wakeDisks: boolean): ReturnType<Sensors["dump"]> {
  const { chips } = await findChips(sysfs);
  const asleep = new Set<FoundChip>();
  for (const chip of wakeDisks ? [] : chips)
    if ((await diskBehind(sysfs, chip))?.rotational === true) asleep.add(chip);
  return dumpChips(chips, sysfs.patient, (chip) => asleep.has(chip));
}
