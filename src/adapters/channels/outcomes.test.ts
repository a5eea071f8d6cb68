import { describe, expect, it } from "vitest";
import type { DeliveryOutcome } from "../../core/io.ts";
import { allOf, anyOf } from "./outcomes.ts";

const taken: DeliveryOutcome = { outcome: "delivered", detail: "HTTP 202" };
const refused: DeliveryOutcome = { outcome: "permanent", detail: "a: HTTP 400" };
const busy: DeliveryOutcome = { outcome: "temporary", detail: "b: HTTP 429", retryAfterMs: 3000 };
const gone: DeliveryOutcome = { outcome: "temporary", detail: "c: connection refused" };

describe("several requests for one message", () => {
  it("are delivered when all were taken", () => {
    expect(allOf([taken, taken])).toEqual(taken);
  });

  it("are tried again when any of them may yet succeed, after the longest wait asked for", () => {
    const later: DeliveryOutcome = { outcome: "temporary", detail: "d", retryAfterMs: 5000 };
    expect(allOf([taken, refused, gone, busy, later])).toEqual({
      outcome: "temporary",
      detail: "4 of 5 failed: c: connection refused",
      retryAfterMs: 5000,
    });
    expect(allOf([gone])).toEqual(gone);
  });

  it("have failed for good when one was refused and the rest is done", () => {
    expect(allOf([taken, refused])).toEqual({
      outcome: "permanent",
      detail: "1 of 2 failed: a: HTTP 400",
    });
    expect(allOf([refused])).toEqual(refused);
  });
});

describe("one message to several members of a cluster", () => {
  const GRACE_MS = 20;
  const ended = (...ends: DeliveryOutcome[]): Promise<DeliveryOutcome> =>
    anyOf(
      ends.map((end) => Promise.resolve(end)),
      GRACE_MS,
    );

  it("is delivered when one took it, and names the others", async () => {
    expect(await ended(gone, taken)).toEqual({
      outcome: "delivered",
      detail: "HTTP 202; not by 1 of 2: c: connection refused",
    });
    expect(await ended(taken, taken)).toEqual(taken);
  });

  it("is tried again when none took it and one of them may", async () => {
    expect(await ended(refused, busy)).toMatchObject({ outcome: "temporary", retryAfterMs: 3000 });
    expect(await ended(refused, refused)).toMatchObject({ outcome: "permanent" });
  });

  it("does not wait for one that is silent once another took it", async () => {
    const silent = new Promise<DeliveryOutcome>(() => undefined);
    expect(await anyOf([silent, Promise.resolve(taken)], GRACE_MS)).toEqual({
      outcome: "delivered",
      detail: "HTTP 202; not by 1 of 2: no answer yet",
    });
  });

  it("waits for the others for as long as none took it", async () => {
    const late = new Promise<DeliveryOutcome>((resolve) => setTimeout(resolve, 3 * GRACE_MS, taken));
    expect(await anyOf([Promise.resolve(refused), late], GRACE_MS)).toMatchObject({ outcome: "delivered" });
  });
});
