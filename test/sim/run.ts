/** One run: a seed in, what was found out. */
import { DeliveryCount, type DeliveryReport } from "./count-deliveries.ts";
import { Judge, type Violation } from "./judge.ts";
import type { Machine } from "./machine.ts";
import { type FaultMode, makeSchedule } from "./schedule.ts";
import { makeDeliverySchedule } from "./schedule-deliveries.ts";
import type { SensorMood } from "./sensors.ts";
import { hostNames, World } from "./world.ts";

export interface RunOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly hours: number;
  readonly faults: FaultMode;
  /** Networks that every host is in. Default: one. */
  readonly networks?: number;
  /** Default: those of half of all seeds have tame ones, so that nothing is missed without. */
  readonly sensors?: SensorMood;
  readonly machine: Machine;
  readonly onLine?: (line: string) => void;
  readonly onRoutine?: (at: number, text: string) => void;
  /** Changes the world before anything happens: for runs that must fail. */
  readonly prepare?: (world: World) => void;
}

export interface RunReport {
  readonly seed: number;
  readonly nodes: number;
  readonly hours: number;
  readonly faults: FaultMode;
  readonly traceSha256: string;
  readonly events: number;
  readonly faultsApplied: number;
  readonly verdicts: number;
  readonly downVerdicts: number;
  readonly messagesDelivered: number;
  readonly duplicates: number;
  /** "Down" messages after the end of their incident was told: groups that could not hear one another. */
  readonly contradictions: number;
  /** Duplicates that bore the same message id. */
  readonly repeats: number;
  /** From falling silent to the first message, where one fault stood alone; median and largest, milliseconds. */
  readonly toldWithin: { readonly count: number; readonly median: number; readonly max: number };
  readonly traffic: {
    readonly messages: number;
    readonly bytes: number;
    readonly bytesPerNodeSecond: number;
  };
  /** With `deliveries`: what became of each death's messages. */
  readonly deliveries?: DeliveryReport;
  readonly violations: readonly Violation[];
  /** Around the violation; empty when there is none. */
  readonly lastLines: readonly string[];
}

export async function run(options: RunOptions): Promise<RunReport> {
  const { seed, nodes, hours, faults, networks = 1 } = options;
  const length = hours * 3_600_000;
  const sensors = options.sensors ?? (seed % 2 === 0 && faults !== "deliveries" ? "tame" : undefined);
  const world = new World({
    seed,
    machine: options.machine,
    names: hostNames(nodes),
    networks,
    ...(sensors === undefined ? {} : { sensors }),
    ...(faults === "deliveries" ? { policy: { flap: undefined } } : {}),
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
    ...(options.onRoutine === undefined ? {} : { onRoutine: options.onRoutine }),
  });
  const nothingIsTold = faults === "loss" || faults === "none";
  const judge = new Judge(world, { nothingIsTold, sensors: sensors !== undefined });
  options.prepare?.(world);
  const deliveries = await playSchedule(world, options, length);
  const { messages, bytes } = world.meter.traffic;
  return {
    seed,
    nodes,
    hours,
    faults,
    traceSha256: world.trace.sha256(),
    events: world.timeline.happened,
    faultsApplied: world.faultTimes.length,
    verdicts: judge.counts.verdicts,
    downVerdicts: judge.counts.down,
    messagesDelivered: world.receiver.arrivals.length,
    duplicates: judge.messages.duplicates,
    contradictions: judge.messages.contradictions,
    repeats: judge.messages.repeats,
    toldWithin: spread(judge.messages.tellTimes),
    traffic: { messages, bytes, bytesPerNodeSecond: bytes / nodes / (world.timeline.now / 1000) },
    ...(deliveries === undefined ? {} : { deliveries }),
    violations: judge.violations,
    lastLines: judge.violations.length > 0 ? world.trace.lastLines() : [],
  };
}

async function playSchedule(
  world: World,
  { seed, nodes, faults, networks = 1 }: RunOptions,
  length: number,
): Promise<DeliveryReport | undefined> {
  if (faults !== "deliveries") {
    await world.run(makeSchedule({ seed, nodes, mode: faults, length, networks }), length);
    return undefined;
  }
  const schedule = makeDeliverySchedule(seed, nodes, length);
  const count = new DeliveryCount(world, schedule.deaths);
  await world.run(schedule.faults, length);
  return count.report();
}

function spread(values: readonly number[]): RunReport["toldWithin"] {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    count: sorted.length,
    median: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0),
    max: Math.round(sorted.at(-1) ?? 0),
  };
}
