/** Urgent datagrams that are repeated until acknowledged. What gives up here is found again by anti-entropy. */
import { after, type Duration, earlier, earliest, type Instant } from "../kit/time.ts";
import { OUTBOX_MAX, RESEND_FIRST, RESEND_FOR } from "./limits.ts";
import type { PeerMessage } from "./messages.ts";
import type { NodeId } from "./types.ts";

interface Pending {
  readonly to: NodeId;
  readonly message: PeerMessage;
  readonly giveUpAt: Instant;
  resendAt: Instant;
  interval: Duration;
}

export interface Outbox {
  nextNumber: number;
  readonly pending: Map<number, Pending>;
  /** When the first of them is due; */
  dueAt: Instant | undefined;
  /** unless one was taken out since, which may have been that one. */
  dueAtStale: boolean;
}

export const emptyOutbox = (): Outbox => ({
  nextNumber: 1,
  pending: new Map(),
  dueAt: undefined,
  dueAtStale: false,
});

/** Remembers a message that is being sent now; returns the number the receiver shall acknowledge, within `interval`. */
export function enqueue(
  outbox: Outbox,
  to: NodeId,
  message: PeerMessage,
  now: Instant,
  interval: Duration = RESEND_FIRST,
): number {
  const number = outbox.nextNumber;
  outbox.nextNumber += 1;
  if (outbox.pending.size >= OUTBOX_MAX) {
    const oldest = outbox.pending.keys().next().value;
    if (oldest !== undefined) remove(outbox, oldest);
  }
  const resendAt = after(now, interval);
  outbox.pending.set(number, { to, message, giveUpAt: after(now, RESEND_FOR), resendAt, interval });
  outbox.dueAt = earliest(outbox.dueAt, resendAt);
  return number;
}

function remove(outbox: Outbox, number: number): void {
  outbox.pending.delete(number);
  outbox.dueAtStale = true;
}

/** Only the addressee can acknowledge. */
export function acknowledge(outbox: Outbox, from: NodeId, numbers: readonly number[]): void {
  for (const number of numbers) {
    if (outbox.pending.get(number)?.to === from) remove(outbox, number);
  }
}

export function forget(outbox: Outbox, to: NodeId): void {
  for (const [number, pending] of outbox.pending) if (pending.to === to) remove(outbox, number);
}

/** What is due for another try now. */
export function dueAgain(
  outbox: Outbox,
  now: Instant,
): { to: NodeId; number: number; message: PeerMessage }[] {
  const due: { to: NodeId; number: number; message: PeerMessage }[] = [];
  if (outbox.dueAt === undefined || now < outbox.dueAt) return due;
  for (const [number, pending] of outbox.pending) {
    if (pending.giveUpAt <= now) {
      outbox.pending.delete(number);
    } else if (pending.resendAt <= now) {
      pending.interval = (pending.interval * 2) as Duration;
      pending.resendAt = after(now, pending.interval);
      due.push({ to: pending.to, number, message: pending.message });
    }
  }
  outbox.dueAtStale = true;
  return due;
}

const dueAtOf = ({ resendAt, giveUpAt }: Pending): Instant => earlier(resendAt, giveUpAt);

/** What is sent together is due together: most often the next one is as early as the one that was taken out. */
export function nextResendAt(outbox: Outbox): Instant | undefined {
  if (!outbox.dueAtStale) return outbox.dueAt;
  let next: Instant | undefined;
  for (const pending of outbox.pending.values()) {
    next = earliest(next, dueAtOf(pending));
    if (next === outbox.dueAt) break;
  }
  outbox.dueAt = next;
  outbox.dueAtStale = false;
  return next;
}
