/** What daemons cost while nothing happens, as the kernel accounts for it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { sleep } from "../lab/driver/clock.ts";
import type { NamespaceNetwork } from "../lab/driver/namespaces.ts";

export interface Cost {
  readonly pid: number;
  /** Of one core. */
  readonly cpuPercent: number;
  readonly rssMB: number;
  /** Shared pages divided among those who share them. */
  readonly pssMB: number;
  readonly sentBytesPerSecond: number;
  readonly receivedBytesPerSecond: number;
}

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
const KB_PER_MB = 1_000_000 / 1024;

/** Measures each daemon over the given time; the one at index i lives at place i. */
export async function costAtRest(
  pids: readonly number[],
  network: NamespaceNetwork,
  lengthMs: number,
): Promise<readonly Cost[]> {
  const before = pids.map((pid, place) => ({
    cpu: cpuSeconds(pid),
    traffic: network.counters(place),
    at: performance.now(),
  }));
  await sleep(lengthMs);
  return pids.map((pid, place) => {
    const traffic = network.counters(place);
    const start = before[place];
    if (start === undefined) throw new Error("a place was not measured");
    const seconds = (performance.now() - start.at) / 1000;
    return {
      pid,
      cpuPercent: (100 * (cpuSeconds(pid) - start.cpu)) / seconds,
      rssMB: kilobytes(`/proc/${pid}/status`, "VmRSS") / KB_PER_MB,
      pssMB: kilobytes(`/proc/${pid}/smaps_rollup`, "Pss") / KB_PER_MB,
      sentBytesPerSecond: (traffic.sentBytes - start.traffic.sentBytes) / seconds,
      receivedBytesPerSecond: (traffic.receivedBytes - start.traffic.receivedBytes) / seconds,
    };
  });
}

/** utime and stime, fields 14 and 15 of proc_pid_stat(5); the command name before them may hold spaces. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function kilobytes(file: string, field: string): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(file, "utf8"));
  if (found?.[1] === undefined) throw new Error(`${file} has no ${field}`);
  return Number(found[1]);
}
