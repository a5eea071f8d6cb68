/** Urgent datagrams that are repeated until acknowledged. What gives up here is found again by anti-entropy. */
import { after, type Duration, earliest, type Instant } from "../kit/time.ts";
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
}

export const emptyOutbox = (): Outbox => ({ nextNumber: 1, pending: new Map() });

/** Remembers a message that is being sent now; returns the number the receiver shall acknowledge. */
export function enqueue(outbox: Outbox, to: NodeId, message: PeerMessage, now: Instant): number {
  const number = outbox.nextNumber;
  outbox.nextNumber += 1;
  if (outbox.pending.size >= OUTBOX_MAX) {
    const oldest = outbox.pending.keys().next().value;
    if (oldest !== undefined) outbox.pending.delete(oldest);
  }
  outbox.pending.set(number, {
    to,
    message,
    giveUpAt: after(now, RESEND_FOR),
    resendAt: after(now, RESEND_FIRST),
    interval: RESEND_FIRST,
  });
  return number;
}

/** Only the addressee can acknowledge. */
export function acknowledge(outbox: Outbox, from: NodeId, numbers: readonly number[]): void {
  for (const number of numbers) {
    if (outbox.pending.get(number)?.to === from) outbox.pending.delete(number);
  }
}

export function forget(outbox: Outbox, to: NodeId): void {
  for (const [number, pending] of outbox.pending) if (pending.to === to) outbox.pending.delete(number);
}

/** What is due for another try now. */
export function dueAgain(
  outbox: Outbox,
  now: Instant,
): { to: NodeId; number: number; message: PeerMessage }[] {
  const due: { to: NodeId; number: number; message: PeerMessage }[] = [];
  if (outbox.pending.size === 0) return due;
  for (const [number, pending] of outbox.pending) {
    if (pending.giveUpAt <= now) {
      outbox.pending.delete(number);
    } else if (pending.resendAt <= now) {
      pending.interval = (pending.interval * 2) as Duration;
      pending.resendAt = after(now, pending.interval);
      due.push({ to: pending.to, number, message: pending.message });
    }
  }
  return due;
}

export function nextResendAt(outbox: Outbox): Instant | undefined {
  let next: Instant | undefined;
  for (const pending of outbox.pending.values()) next = earliest(next, pending.resendAt, pending.giveUpAt);
  return next;
}
