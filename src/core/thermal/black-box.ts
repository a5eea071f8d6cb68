/** What one host's sensors showed over the last ten minutes, as one node knows it. */
import { between, type Duration, type Instant, minutes, type WallTime } from "../../kit/time.ts";
import type { Pass } from "./pass.ts";

/** A pass as it was taken in here. */
export interface Taken extends Pass {
  /** When it was made, on this node's clocks. */
  readonly at: Instant;
  readonly wall: WallTime;
  /** From the host itself, or this host's own; others are the latest that somebody else held. */
  readonly direct: boolean;
}

/** Oldest first; the last one is the latest. */
export type BlackBox = readonly Taken[];

/** Counted back from the latest pass: what a dead host felt is not forgotten by waiting. */
export const BOX_SPAN: Duration = minutes(10);
/** What a pass costs beside its values: a host may say often that it has nothing to say. */
const PASS_COST = 12;
const sizeOf = ({ values, alarms }: Pass): number => PASS_COST + values.length + alarms.length;
/** Values of one host at most: 40 sensors every second for ten minutes, or 500 sensors every ten seconds. */
export const BOX_VALUES_MAX = 32_768;

export function withPass(box: BlackBox, taken: Taken): BlackBox {
  let room = BOX_VALUES_MAX - sizeOf(taken);
  let first = box.length;
  while (first > 0) {
    const pass = box[first - 1];
    if (pass === undefined || between(pass.at, taken.at) > BOX_SPAN) break;
    room -= sizeOf(pass);
    if (room < 0) break;
    first -= 1;
  }
  return [...box.slice(first), taken];
}
