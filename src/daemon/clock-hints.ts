/** What is said of a host's clock before its node has peers to compare it with. */
import { CLOCK_OFF_FROM } from "../core/limits.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { civilTime, type Duration, formatDuration, type WallTime, wallTime } from "../kit/time.ts";

/** 2026-01-01T00:00:00Z. No release is older: a clock that says so was reset. */
const FIRST_RELEASE: WallTime = wallTime(1_767_225_600_000);

/**
 * A join goes by the keymaster's clock, and the person is told that this host's differs. `signedAt`: when
 * the keymaster, by its clock, signed the roster that has just been received.
 */
export function clockHints(signedAt: WallTime, now: WallTime): string[] {
  const error = (now - signedAt) as Duration;
  if (Math.abs(error) < CLOCK_OFF_FROM) return [];
  const how = `${formatDuration(Math.abs(error) as Duration)} ${error > 0 ? "ahead of" : "behind"}`;
  return [`this host's clock is ${how} the keymaster's: run \`timedatectl\` on both, and set the wrong one`];
}

/** A mesh's certificates begin with it, and all end with its root's. Fails with `clock-wrong`. */
export function clockMayBegin(now: WallTime): Result<void> {
  if (now >= FIRST_RELEASE) return ok(undefined);
  const remedy = "Set it first: `timedatectl`, with chrony `chronyc makestep`.";
  return failure("clock-wrong", `this host's clock says ${civilTime(now)}`, remedy);
}
