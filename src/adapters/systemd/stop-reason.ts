/**
 * Why systemd stops this process. It sends the same SIGTERM for `systemctl stop` and for a shutdown;
 * what it is about stands in its list of jobs: while the system goes down, the start of the target it
 * goes to waits there for every service to end (systemd.special(7), bootup(7) "System Manager Shutdown").
 */
import { execFile } from "node:child_process";

/** systemctl answers within some 10 ms, later on a host that is busy going down; the goodbye must not wait for one that does not. */
export const ASK_TIMEOUT_MS: number = 2000;
const OUTPUT_BYTES_MAX = 1_048_576;

export type StopReason = "stop" | "reboot" | "shutdown";

const TARGETS: readonly (readonly [target: string, reason: StopReason])[] = [
  ["reboot.target", "reboot"],
  ["kexec.target", "reboot"],
  ["soft-reboot.target", "reboot"],
  ["poweroff.target", "shutdown"],
  ["halt.target", "shutdown"],
];

/** Undefined where systemd did not start this process, or does not say. */
export async function stopReason(
  env: Readonly<Record<string, string | undefined>>,
): Promise<StopReason | undefined> {
  // systemd.exec(5): set for every process of a unit.
  if (env.INVOCATION_ID === undefined || env.INVOCATION_ID === "") return undefined;
  const jobs = await listJobs(env);
  return jobs === undefined ? undefined : reasonIn(jobs);
}

/** By the lines of `systemctl list-jobs --no-legend --plain`: number, unit, kind of job, its state. */
export function reasonIn(jobs: string): StopReason {
  const starting = new Set(
    jobs.split("\n").flatMap((line) => {
      const [, unit, kind] = line.trim().split(/\s+/);
      return unit !== undefined && kind === "start" ? [unit] : [];
    }),
  );
  return TARGETS.find(([target]) => starting.has(target))?.[1] ?? "stop";
}

function listJobs(env: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      "systemctl",
      ["list-jobs", "--no-legend", "--plain", "--no-pager"],
      { timeout: ASK_TIMEOUT_MS, killSignal: "SIGKILL", maxBuffer: OUTPUT_BYTES_MAX, env: { ...env } },
      (error, stdout) => resolve(error === null ? stdout : undefined),
    );
  });
}
