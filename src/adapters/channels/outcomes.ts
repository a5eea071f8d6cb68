/** What the ends of several requests for one message mean together. */
import type { DeliveryOutcome } from "../../core/io.ts";

type Temporary = Extract<DeliveryOutcome, { outcome: "temporary" }>;

/**
 * All have to be taken. What may yet succeed is worth another try, also of the rest, so it goes
 * before a refusal; the longest wait asked for counts.
 */
export function allOf(ends: readonly DeliveryOutcome[]): DeliveryOutcome {
  const temporary = ends.filter((end): end is Temporary => end.outcome === "temporary");
  const worst = temporary[0] ?? ends.find(({ outcome }) => outcome === "permanent");
  if (worst === undefined) return ends.at(-1) ?? { outcome: "delivered", detail: "nothing to send" };
  const failed = ends.filter(({ outcome }) => outcome !== "delivered").length;
  const told = failed === ends.length ? worst.detail : `${failed} of ${ends.length} failed: ${worst.detail}`;
  if (worst.outcome !== "temporary") return { outcome: "permanent", detail: told };
  const waits = temporary.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
  return {
    outcome: "temporary",
    detail: told,
    ...(waits.length === 0 ? {} : { retryAfterMs: Math.max(...waits) }),
  };
}

const NOT_YET: DeliveryOutcome = { outcome: "temporary", detail: "no answer yet" };

/**
 * One that took it is enough: the others then have `graceMs` to answer, so that a member that is
 * switched off does not hold back the receipt. Those that failed are named, since someone has to see
 * to them. `pending` never reject.
 */
export async function anyOf(
  pending: readonly Promise<DeliveryOutcome>[],
  graceMs: number,
): Promise<DeliveryOutcome> {
  const ends: DeliveryOutcome[] = pending.map(() => NOT_YET);
  let grace: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    let open = pending.length;
    const ended = (index: number, end: DeliveryOutcome): void => {
      ends[index] = end;
      open -= 1;
      if (open === 0) resolve();
      else if (end.outcome === "delivered") grace ??= setTimeout(resolve, graceMs);
    };
    for (const [index, each] of pending.entries()) void each.then((end) => ended(index, end));
  });
  clearTimeout(grace);
  return takenByAny(ends);
}

function takenByAny(ends: readonly DeliveryOutcome[]): DeliveryOutcome {
  const taken = ends.find(({ outcome }) => outcome === "delivered");
  if (taken === undefined) return allOf(ends);
  const failed = ends.filter(({ outcome }) => outcome !== "delivered");
  if (failed.length === 0) return taken;
  const why = failed.map(({ detail }) => detail).join("; ");
  return {
    outcome: "delivered",
    detail: `${taken.detail}; not by ${failed.length} of ${ends.length}: ${why}`,
  };
}
