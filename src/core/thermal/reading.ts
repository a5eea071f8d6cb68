/** A sensor's value as the mesh and people see it. */
import type { WallTime } from "../../kit/time.ts";

export type ReadingKind =
  | "cpu-package"
  | "cpu-core"
  | "cpu-die"
  | "nvme"
  | "ssd"
  | "hdd"
  | "gpu"
  | "memory"
  | "board"
  | "ambient"
  | "fan"
  | "power"
  | "voltage"
  | "current"
  | "humidity";

export type Unit = "celsius" | "rpm" | "percent" | "watt" | "volt" | "ampere";

/**
 * Whether the value can be believed.
 * `ok`: yes. `idle`: a disk that is left asleep; value and time are those of the last reading.
 * `fault`: the driver says that the sensor is broken or not connected. `missing`: nothing to read.
 * `unreadable`: the driver refused. `stuck`: the driver does not answer. `implausible`: outside of
 * what the kind of sensor can show. `unexpected`: not a number.
 */
export type Validity =
  | "ok"
  | "idle"
  | "fault"
  | "missing"
  | "unreadable"
  | "stuck"
  | "implausible"
  | "unexpected";

/** In the reading's unit. A limit that makes no sense is left out. */
export interface ReadingLimits {
  readonly min?: number;
  readonly max?: number;
  readonly crit?: number;
  readonly lcrit?: number;
  readonly emergency?: number;
}

export interface Reading {
  /** The same across boots: serial or device path, and channel. Never `hwmonN`. */
  readonly id: string;
  readonly kind: ReadingKind;
  /** Model and slot where the system tells. */
  readonly name: string;
  readonly unit: Unit;
  /** Null unless validity is `ok`, or `idle` after an earlier reading. */
  readonly value: number | null;
  readonly validity: Validity;
  readonly limits: ReadingLimits;
  /** One of the driver's own alarm bits stands. */
  readonly alarm: boolean;
  /** When the value was read; null when there is none. */
  readonly at: WallTime | null;
  /** Who measures: `coretemp`, `nvme`, `nvidia-smi`. */
  readonly driver: string;
  /** What the driver calls it: `Tctl`, `CPUTIN`, else `temp1`. */
  readonly label: string;
  /** One of several spots of a part whose whole has a reading of its own: information only. */
  readonly spot: boolean;
}
