import type { RawPass } from "../core/thermal/raw.ts";
import type { Said } from "../core/thermal/said.ts";
import type { Instant, WallTime } from "../kit/time.ts";
import type { LmChip } from "../wire/lm-sensors.ts";

export interface Moment {
  readonly now: Instant;
  readonly wall: WallTime;
}

/** What this host's kernel shows of its sensors. */
export interface Sensors {
  /** One look at all of them. Never rejects; a driver that does not answer costs its own values only. */
  read(at: Moment): Promise<RawPass>;
  /** All of every chip, for output as lm-sensors has it. Rotational disks stay asleep unless they may be woken. */
  dump(at: Moment, wakeDisks: boolean): Promise<readonly LmChip[]>;
  /** Reads that still wait for a driver. While there are any, the process cannot end by itself. */
  stuck(): number;
  close(): void;
}

/** A source of readings beside the kernel's own: found by itself, silent when absent. */
export interface ExtraSensors {
  /** Never rejects, ends within its own timeout. */
  read(at: Moment): Promise<ExtraPass>;
}

export interface ExtraPass {
  readonly said: readonly Said[];
  /** What it said and nobody understood. */
  readonly unexpected: readonly Unexpected[];
}

export interface Unexpected {
  /** Who said it: `smartctl`, `nvidia-smi`. */
  readonly source: string;
  /** What is wrong with it, in a few words that are the same each time. */
  readonly what: string;
  /** The beginning of it. */
  readonly sample: string;
}
