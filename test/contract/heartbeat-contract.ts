/** What every dead-man's heartbeat promises (src/ports/heartbeat.ts), whatever service is behind it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DeliveryOutcome } from "../../src/core/io.ts";
import type { Heartbeat } from "../../src/ports/heartbeat.ts";
import type { ServiceMood } from "./channel-contract.ts";

/** One ping as it reached the service. */
export interface ArrivedPing {
  readonly state: "alive" | "fail";
  readonly why: string;
}

export interface HeartbeatUnderTest {
  readonly heartbeat: Heartbeat;
  /** Everything in its settings that must never be shown. */
  readonly secrets: readonly string[];
  mood(mood: ServiceMood): Promise<void>;
  arrived(): readonly ArrivedPing[];
  close(): Promise<void>;
}

const WHY = "pve1: 2 of 3 hosts alive";
const AMPLE_MS = 10_000;
const SHORT_MS = 250;
/** Timers, sockets and a busy machine. */
const SLACK_MS = 750;

export function heartbeatContract(name: string, make: () => Promise<HeartbeatUnderTest>): void {
  describe(`${name} keeps the contract of a heartbeat`, () => {
    let under: HeartbeatUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    afterEach(() => under.close());

    const ping = async (
      timeoutMs = AMPLE_MS,
      state: "alive" | "fail" = "alive",
    ): Promise<DeliveryOutcome> => {
      const result = await under.heartbeat.ping(state, WHY, timeoutMs);
      expect(result.detail.length).toBeLessThanOrEqual(200);
      expect(result.detail).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      for (const secret of under.secrets) expect(result.detail).not.toContain(secret);
      return result;
    };

    it("has a name and a period", () => {
      expect(under.heartbeat.name).toMatch(/^[a-z0-9-]+$/);
      expect(under.heartbeat.everyMs).toBeGreaterThanOrEqual(30_000);
    });

    it.each(["alive", "fail"] as const)("tells that it is %s, and why", async (state) => {
      await under.mood({ type: "accepts", saying: "" });
      expect(await ping(AMPLE_MS, state)).toMatchObject({ outcome: "delivered" });
      expect(under.arrived()).toEqual([{ state, why: WHY }]);
    });

    it("gives up on a refusal that stays", async () => {
      await under.mood({ type: "refuses", saying: "no such check" });
      const result = await ping();
      expect(result.outcome).toBe("permanent");
      expect(result.detail).toContain("no such check");
    });

    it.each([
      { type: "busy", retryAfterSeconds: 7 },
      { type: "resets" },
      { type: "gone" },
    ] satisfies ServiceMood[])("may ping again when the service is so: %j", async (mood) => {
      await under.mood(mood);
      expect(await ping()).toMatchObject({ outcome: "temporary" });
    });

    it("ends in time when nobody answers", async () => {
      await under.mood({ type: "mute" });
      const begun = performance.now();
      expect(await ping(SHORT_MS)).toMatchObject({ outcome: "temporary" });
      expect(performance.now() - begun).toBeLessThan(SHORT_MS + SLACK_MS);
    });

    it("reads a bounded part of a reply without end", async () => {
      await under.mood({ type: "babbles" });
      const begun = performance.now();
      expect(await ping()).toMatchObject({ outcome: "delivered" });
      expect(performance.now() - begun).toBeLessThan(AMPLE_MS / 2);
    });

    it("shows no secret, even when the service repeats it", async () => {
      for (const secret of under.secrets) {
        await under.mood({ type: "refuses", saying: `<${secret}> is wrong` });
        expect((await ping()).detail).toContain("is wrong");
      }
    });
  });
}
