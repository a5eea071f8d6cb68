/**
 * Stolen hosts are revoked, one after another. Each holds its old connections open and says nothing: when its
 * peers let go of them shows in its own kernel's table, whatever daemons say.
 */
import { readFileSync } from "node:fs";
import { machineMs, sleep } from "../driver/clock.ts";
import type { Daemon } from "../driver/daemon.ts";
import type { Scene, Stage } from "../stage.ts";

const THEFTS = { full: 8, short: 1 };
/** From the command, signing included. */
const CUT_P99_MS_MAX = 1_000;
const GIVE_UP_MS = 10_000;
const LOOK_EVERY_MS = 5;
/** TCP_ESTABLISHED in /proc/net/tcp (Linux, include/net/tcp_states.h). */
const ESTABLISHED = "01";

export const theft: Scene = {
  name: "theft",
  summary: "stolen hosts are revoked: every other host has cut them off within a second",
  nodes: { usual: 5, min: 4, full: [32] },
  alone: true,
  async play(stage) {
    const cutMs: number[] = [];
    const kept: string[] = [];
    for (let theft = 1; theft <= THEFTS[stage.short ? "short" : "full"]; theft += 1) {
      const thief = stage.mesh.names[theft] ?? "";
      const found = await revoke(stage, thief);
      cutMs.push(...found.cutMs);
      kept.push(...found.kept);
      await stage.mesh.perform("kill", thief);
      await stage.mesh.settled();
    }
    cutMs.sort((a, b) => a - b);
    const p99 = cutMs[Math.ceil(cutMs.length * 0.99) - 1] ?? Number.POSITIVE_INFINITY;
    const median = cutMs[cutMs.length >> 1] ?? Number.POSITIVE_INFINITY;
    stage.note(
      `cut after ${Math.round(median)} ms at the median, ${Math.round(p99)} ms at p99, of ${cutMs.length}`,
    );
    stage.check("nobody keeps a connection", kept.length === 0, `kept by ${kept.join(", ")}`);
    stage.check(`p99 within ${CUT_P99_MS_MAX} ms`, p99 <= CUT_P99_MS_MAX, `${Math.round(p99)} ms`);
  },
};

interface Found {
  /** When each of the others had ended its connections with the thief, in milliseconds after the command. */
  readonly cutMs: readonly number[];
  /** Who has not. */
  readonly kept: readonly string[];
}

async function revoke(stage: Stage, name: string): Promise<Found> {
  const thief = stage.mesh.daemon(name);
  const before = connectedTo(thief);
  const others = stage.others(name).filter((other) => before.has(hostOf(stage.mesh.daemon(other))));
  await stage.act("freeze", name);
  const found = new Map<string, number>();
  const began = machineMs();
  const revoked = stage.mesh.daemon(stage.mesh.names[0] ?? "").control.call("node-remove", {
    node: name,
    why: "stolen",
    suspected: true,
  });
  while (found.size < others.length && machineMs() < began + GIVE_UP_MS) {
    const connected = connectedTo(thief);
    for (const other of others)
      if (!found.has(other) && !connected.has(hostOf(stage.mesh.daemon(other))))
        found.set(other, machineMs() - began);
    await sleep(LOOK_EVERY_MS);
  }
  await revoked;
  return { cutMs: [...found.values()], kept: others.filter((other) => !found.has(other)) };
}

const hostOf = ({ address }: Daemon): string => address.slice(0, address.lastIndexOf(":"));

/** IPv4 addresses at the other end of this daemon's connections. */
function connectedTo({ pid }: Daemon): ReadonlySet<string> {
  const rows = readFileSync(`/proc/${pid}/net/tcp`, "utf8").trim().split("\n").slice(1);
  const established = rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state]) => state === ESTABLISHED);
  return new Set(established.map(([, , remote = ""]) => dotted(remote)));
}

/** `0B004D0A:1DE6` is 10.77.0.11:7654: the address in the byte order of the machine. */
const dotted = (remote: string): string => {
  const hex = remote.slice(0, remote.indexOf(":"));
  const bytes = hex.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
  return bytes.reverse().join(".");
};
