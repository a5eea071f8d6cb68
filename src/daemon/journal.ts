/** What of all that happens is worth a line in the journal. */
import type { Notice } from "../core/io.ts";
import type { Failure } from "../kit/result.ts";
import { civilTime } from "../kit/time.ts";
import type { Log } from "./log.ts";

/** Kinds of refusal that are counted apart; the rest share a line. */
const REFUSAL_KINDS_MAX = 50;

export function logFailure(log: Log, { code, message, remedy }: Failure): void {
  log.error(`${message} (${code})${remedy === undefined ? "" : `. ${remedy}`}`);
}

/** Counts what was turned away, by reason; a storm of refusals must not fill the journal. */
export function countRefusal(refusals: Map<string, number>, reason: Failure, remote: string, log: Log): void {
  const kind =
    refusals.has(reason.message) || refusals.size < REFUSAL_KINDS_MAX ? reason.message : "other reasons";
  const count = (refusals.get(kind) ?? 0) + 1;
  refusals.set(kind, count);
  const isPowerOfTwo = (count & (count - 1)) === 0;
  if (isPowerOfTwo) log.warning(`refused ${remote}: ${kind} (${count} so far)`);
}

export function logNotice(log: Log, notice: Notice): void {
  switch (notice.type) {
    case "verdict": {
      const line = `${notice.name}: ${notice.from} -> ${notice.to}: ${notice.why}`;
      const isPassingDoubt = notice.to === "suspect" || (notice.from === "suspect" && notice.to === "alive");
      if (isPassingDoubt) log.debug(line);
      else log.info(line);
      return;
    }
    case "incident":
      log.warning(`incident ${notice.phase}: ${notice.name} (${notice.kind}, ${notice.incident})`);
      return;
    case "message":
      log.info(`message ${notice.outcome} on ${notice.channel}: ${notice.title} (${notice.detail})`);
      return;
    case "isolated":
      log.warning(
        notice.isolated ? `this node is cut off: ${notice.detail}` : `no longer cut off: ${notice.detail}`,
      );
      return;
    case "mute":
      log.info(muteLine(notice));
      return;
    case "warning":
      log.warning(notice.text);
  }
}

/** Who keeps people from being told. */
function muteLine({ purpose, phase, about, by, why, until }: Extract<Notice, { type: "mute" }>): string {
  const what = `${purpose} of ${about}`;
  if (phase === "over") return `${what} is over`;
  if (phase === "lifted") return `${what} ended by ${by}`;
  const end = until === undefined ? "until someone ends it" : `until ${civilTime(until)}`;
  return `${what} by ${by} ${end}${why === "" ? "" : `: ${why}`}`;
}
