/** Sensors as the system shows them: texts and what became of reading them; nothing is interpreted here. */
import type { WallTime } from "../../kit/time.ts";

/** Buses as libsensors tells them apart (lm-sensors 3.6, lib/sensors.h). */
export type BusType = "i2c" | "isa" | "pci" | "spi" | "virtual" | "acpi" | "hid" | "mdio" | "scsi";

export interface ChipBus {
  readonly type: BusType;
  /** Which of several buses of the type; 0 where there is but one. */
  readonly number: number;
  readonly address: number;
}

/** A disk behind a chip, as its block device tells. */
export interface RawDisk {
  /** `sda`, `nvme0`: not stable, for people. */
  readonly device: string;
  readonly model: string | null;
  readonly serial: string | null;
  readonly rotational: boolean;
}

export interface RawChip {
  /** The kernel's name of it: `coretemp`, or a thermal zone's type. */
  readonly driver: string;
  /** Same across boots: the device's place in the system, without numbers that depend on the order of probing. */
  readonly place: string;
  /** Last part of the device's path (`0000:01:00.0`, `coretemp.1`), null for a chip without a device. */
  readonly device: string | null;
  readonly bus: ChipBus;
  /** PCI slot or drive bay, where the system names it. */
  readonly slot: string | null;
  readonly disk: RawDisk | null;
  readonly channels: readonly RawChannel[];
}

/** The kernel's Documentation/hwmon/sysfs-interface has them; energy and intrusion are no readings. */
export type ChannelType = "temp" | "fan" | "in" | "curr" | "power" | "humidity";

export interface RawChannel {
  readonly type: ChannelType;
  /** As in `temp3_input`; voltages count from 0. */
  readonly index: number;
  /** What the driver calls it; null when it does not. */
  readonly label: string | null;
  /** Attributes that change rarely: limits, alarm bits. */
  readonly settings: ReadonlyMap<Setting, string>;
}

/** Attributes read beside the value, by their ending. */
export type Setting = "min" | "max" | "crit" | "lcrit" | "emergency" | "cap" | Alarm;
export type Alarm = "alarm" | "min_alarm" | "max_alarm" | "crit_alarm" | "lcrit_alarm" | "emergency_alarm";

/**
 * What became of reading one value.
 * `read`: the driver answered. `missing`: there is no such file, or nothing in it. `unreadable`: the
 * driver or the kernel refused (EIO, EAGAIN, EACCES). `stuck`: it has not answered yet. `asleep`: a
 * rotational disk that was left alone; text and time are of the last reading, if there was one.
 */
export type RawOutcome = "read" | "missing" | "unreadable" | "stuck" | "asleep";

export interface RawValue {
  readonly outcome: RawOutcome;
  readonly text: string | null;
  /** Whether the driver's fault bit stands: the text then means nothing. */
  readonly fault: boolean;
  /** When the text was read; null when it never was. */
  readonly at: WallTime | null;
}

/** One pass over all chips. */
export interface RawPass {
  readonly at: WallTime;
  /** The same objects as in the pass before, until something changes: what is derived from them can be kept. */
  readonly chips: readonly RawChip[];
  /** For each chip, its channels' values in the same order. */
  readonly values: readonly (readonly RawValue[])[];
  /** Chips, channels or files beyond the limits, which are not read. */
  readonly left: number;
}
