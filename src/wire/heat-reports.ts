/** What the daemon says of sensors on its control socket: `temps`, `blackbox`, `history`. */
import * as z from "zod";
import type { CpuTemperature } from "../core/thermal/cpu.ts";
import { STEP_LEAST } from "./heat-limits.ts";
import { READING_ID_MAX, type ReadingReport } from "./readings.ts";

export interface HeatParamsOf {
  /** `node`: name or id, absent = all. `from`: the first host of the answer, by its place among all. */
  temps: { node?: string | undefined; from?: number | undefined };
  /** `at`: the end of the ten minutes, in ms since 1970; absent = the last that is known. */
  blackbox: { node: string; at?: number | undefined };
  /** `sensor`: id, name, or a part of one. `node`: default this host. Times in ms since 1970. */
  history: {
    sensor: string;
    node?: string | undefined;
    from?: number | undefined;
    to?: number | undefined;
    stepMs?: number | undefined;
  };
}

const nodeName = z.string().min(1).max(64);
const time = z.number().int().min(0).max(8.64e15);
export const heatParams: { readonly [M in keyof HeatParamsOf]: z.ZodType<HeatParamsOf[M]> } = {
  temps: z.object({ node: nodeName.optional(), from: z.number().int().min(0).optional() }),
  blackbox: z.object({ node: nodeName, at: time.optional() }),
  history: z.object({
    sensor: z.string().min(1).max(READING_ID_MAX),
    node: nodeName.optional(),
    from: time.optional(),
    to: time.optional(),
    stepMs: z.number().min(STEP_LEAST).optional(),
  }),
};

export interface FeltReport extends ReadingReport {
  /** Over the last ten minutes; null where no value is known. */
  readonly min: number | null;
  readonly max: number | null;
  /** A minute; positive = rising. */
  readonly trend: number | null;
  /** From when on a person is told; null = never. */
  readonly warning: number | null;
  readonly critical: number | null;
  /** Nobody is told of it, whatever it shows. */
  readonly ignored: boolean;
  /** Means over `recentMs` each, oldest first, to the latest reading; null = no value. */
  readonly recent: readonly (number | null)[];
}

export interface HostTempsReport {
  readonly node: string;
  readonly name: string;
  /** Whose word it is: this host's own, told by the host itself or by another node; null = nothing is known. */
  readonly source: "self" | "direct" | "relayed" | null;
  readonly at: string | null;
  readonly ageMs: number | null;
  readonly cpu: CpuTemperature | null;
  readonly readings: readonly FeltReport[];
}

export interface TempsReport {
  readonly schema: 1;
  readonly recentMs: number;
  readonly hosts: readonly HostTempsReport[];
  /** Place of the first host that did not fit into this answer; null = that is all. */
  readonly next: number | null;
}

export interface BlackBoxReport {
  readonly schema: 1;
  readonly node: string;
  readonly name: string;
  /** Kept at the raw rate in memory, or read from this node's disk. */
  readonly source: "memory" | "history";
  /** When it was last heard, of a host that is silent now. */
  readonly silentSince: string | null;
  readonly sensors: readonly {
    readonly id: string;
    readonly kind: string;
    readonly name: string;
    readonly unit: string;
  }[];
  /** Oldest first; values in the order of `sensors`, null = none. */
  readonly samples: readonly { readonly at: string; readonly values: readonly (number | null)[] }[];
}

export interface HistoryReport {
  readonly schema: 1;
  readonly node: string;
  readonly name: string;
  readonly sensor: {
    readonly id: string;
    readonly kind: string;
    readonly name: string;
    readonly unit: string;
    /** Its first and latest sample ever. */
    readonly first: string;
    readonly last: string;
  };
  readonly from: string;
  readonly to: string;
  readonly stepMs: number;
  /** Steps without a value have no point. `at`: the beginning of the step. */
  readonly points: readonly {
    readonly at: string;
    readonly min: number;
    readonly mean: number;
    readonly max: number;
    readonly count: number;
  }[];
}

export interface HeatResults {
  temps: TempsReport;
  blackbox: BlackBoxReport;
  history: HistoryReport;
}
