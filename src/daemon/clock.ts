/** The host's clocks and chance, as the core wants them: given with every input. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { meshTime } from "../core/clocks.ts";
import type { Env } from "../core/io.ts";
import type { NodeState } from "../core/node.ts";
import { seededRandom } from "../kit/random.ts";
import { type Instant, instant, type WallTime, wallTime } from "../kit/time.ts";

/** CLOCK_MONOTONIC, which stands still while the host sleeps: a suspended host does not blame the others. */
export const monotonicNow = (): Instant => instant(performance.now());
/** What the host's clock says; what the node goes by is `meshNow`. */
export const wallNow = (): WallTime => wallTime(Date.now());

/** The time the node goes by: its host's clock, or the mesh's while that one is off. */
export const meshNow = (state: NodeState): WallTime => meshTime(state, wallNow());

export interface NodeClock {
  /** The time the node goes by, for parts that are made before its core is: until then the host's clock. */
  readonly now: () => WallTime;
  follow(state: () => NodeState): void;
}

export function createNodeClock(): NodeClock {
  let followed: (() => NodeState) | undefined;
  return {
    now: () => (followed === undefined ? wallNow() : meshNow(followed())),
    follow: (state) => {
      followed = state;
    },
  };
}

/** Seeded once from the operating system; for jitter only, never for secrets. */
const random = seededRandom(randomBytes(4).readUInt32LE(0));

export const currentEnv = (): Env => ({ now: monotonicNow(), wall: wallNow(), random });

const BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id";

/** Changes with each boot of the kernel. `BALEFIRE_BOOT_ID` replaces it where several "hosts" share a kernel. */
export function bootId(env: Readonly<Record<string, string | undefined>>): string {
  return env.BALEFIRE_BOOT_ID ?? readFileSync(BOOT_ID_FILE, "utf8").trim();
}
