import { expect, it } from "vitest";
import { instant } from "../kit/time.ts";
import { OUTBOX_MAX, RESEND_FIRST, RESEND_FOR } from "./limits.ts";
import type { PeerMessage } from "./messages.ts";
import { acknowledge, dueAgain, emptyOutbox, enqueue, forget, nextResendAt } from "./outbox.ts";

const message: PeerMessage = { t: "ack", numbers: [] };

it("knows when the next repetition is due, whichever message was acknowledged", () => {
  const outbox = emptyOutbox();
  const first = enqueue(outbox, "b", message, instant(0));
  const second = enqueue(outbox, "c", message, instant(10));
  expect(nextResendAt(outbox)).toBe(RESEND_FIRST);
  acknowledge(outbox, "b", [first]);
  expect(nextResendAt(outbox)).toBe(10 + RESEND_FIRST);
  acknowledge(outbox, "c", [second]);
  expect(nextResendAt(outbox)).toBeUndefined();
});

it("repeats at doubling intervals until it gives up", () => {
  const outbox = emptyOutbox();
  enqueue(outbox, "b", message, instant(0));
  const times: number[] = [];
  for (let at = nextResendAt(outbox); at !== undefined; at = nextResendAt(outbox))
    if (dueAgain(outbox, at).length > 0) times.push(at);
  expect(times.slice(0, 4)).toEqual([1, 3, 7, 15].map((times) => times * RESEND_FIRST));
  expect(times.at(-1)).toBeLessThan(RESEND_FOR);
});

it("takes an acknowledgement from the addressee only", () => {
  const outbox = emptyOutbox();
  const number = enqueue(outbox, "b", message, instant(0));
  acknowledge(outbox, "c", [number]);
  expect(nextResendAt(outbox)).toBeDefined();
  forget(outbox, "b");
  expect(nextResendAt(outbox)).toBeUndefined();
});

it("holds a bounded number; the oldest give way", () => {
  const outbox = emptyOutbox();
  const first = enqueue(outbox, "b", message, instant(0));
  for (let more = 0; more < OUTBOX_MAX; more += 1) enqueue(outbox, "c", message, instant(1));
  expect(outbox.pending.size).toBe(OUTBOX_MAX);
  expect(outbox.pending.has(first)).toBe(false);
});
