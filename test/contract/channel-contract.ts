/** What every channel promises (src/ports/channel.ts), whatever service is behind it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DeliveryOutcome } from "../../src/core/io.ts";
import type { Channel } from "../../src/ports/channel.ts";
import { SAMPLE_NOTIFICATION } from "./sample-notification.ts";

/** How the service behind the channel behaves; each channel's test translates it into its protocol. */
export type ServiceMood =
  | { readonly type: "accepts"; readonly saying: string }
  | { readonly type: "busy"; readonly retryAfterSeconds: number }
  | { readonly type: "refuses"; readonly saying: string }
  /** Takes the message and never answers. */
  | { readonly type: "mute" }
  /** Breaks off before it has answered. */
  | { readonly type: "resets" }
  /** Accepts, with a reply without end. */
  | { readonly type: "babbles" }
  /** Is not there at all. */
  | { readonly type: "gone" };

export interface Service {
  mood(mood: ServiceMood): Promise<void>;
  /** The idempotency key of each message that arrived. */
  keys(): readonly string[];
}

export interface ChannelUnderTest {
  readonly channel: Channel;
  /** Absent for a channel that has nobody to talk to. */
  readonly service?: Service;
  /** Everything in the channel's settings that must never be shown. */
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

const AMPLE_MS = 10_000;
const SHORT_MS = 250;
/** Timers, sockets and a busy machine. */
const SLACK_MS = 750;

/** `alone`: a channel that has nobody to talk to, so that most promises cannot be broken. */
export function channelContract(name: string, make: () => Promise<ChannelUnderTest>, alone = false): void {
  describe(`${name} keeps the contract of a channel`, () => {
    let under: ChannelUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    afterEach(() => under.close());

    const deliver = async (timeoutMs = AMPLE_MS): Promise<DeliveryOutcome> => {
      const result = await under.channel.deliver(SAMPLE_NOTIFICATION, timeoutMs);
      expect(result.detail.length).toBeLessThanOrEqual(200);
      expect(result.detail).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      for (const secret of under.secrets) expect(result.detail).not.toContain(secret);
      return result;
    };
    const withService = (behaviour: string, test: (service: Service) => Promise<void>): void => {
      if (alone) return;
      it(behaviour, async () => {
        if (under.service === undefined) throw new Error("it was made without a service to talk to");
        await test(under.service);
      });
    };

    it("has a name and a type", () => {
      expect(under.channel.name).toMatch(/^[a-z0-9-]+$/);
      expect(under.channel.type).toMatch(/^[a-z]+$/);
    });

    it("delivers when nothing is wrong", async () => {
      await under.service?.mood({ type: "accepts", saying: "thanks" });
      expect((await deliver()).outcome).toBe("delivered");
    });

    withService("shows the receiver's own words", async (service) => {
      await service.mood({ type: "accepts", saying: "queued as 4711\n\u001b[31mred" });
      expect((await deliver()).detail).toContain("queued as 4711 ");
    });

    withService("waits as long as a busy receiver asks", async (service) => {
      await service.mood({ type: "busy", retryAfterSeconds: 7 });
      expect(await deliver()).toMatchObject({ outcome: "temporary", retryAfterMs: 7000 });
    });

    withService("does not wait for hours, whatever the receiver asks", async (service) => {
      await service.mood({ type: "busy", retryAfterSeconds: 86_400 });
      const result = await deliver();
      expect(result.outcome === "temporary" && (result.retryAfterMs ?? 0)).toBeLessThanOrEqual(300_000);
    });

    withService("gives up on a refusal that stays", async (service) => {
      await service.mood({ type: "refuses", saying: "no such topic" });
      const result = await deliver();
      expect(result.outcome).toBe("permanent");
      expect(result.detail).toContain("no such topic");
    });

    withService("ends in time when the receiver never answers", async (service) => {
      await service.mood({ type: "mute" });
      const begun = performance.now();
      expect((await deliver(SHORT_MS)).outcome).toBe("temporary");
      expect(performance.now() - begun).toBeLessThan(SHORT_MS + SLACK_MS);
      expect(service.keys()).toHaveLength(1);
    });

    withService("may be tried again after a broken connection", async (service) => {
      await service.mood({ type: "resets" });
      expect((await deliver()).outcome).toBe("temporary");
    });

    withService("may be tried again when nobody listens", async (service) => {
      await service.mood({ type: "gone" });
      expect((await deliver()).outcome).toBe("temporary");
    });

    withService("reads a bounded part of a reply without end", async (service) => {
      await service.mood({ type: "babbles" });
      const begun = performance.now();
      expect((await deliver()).outcome).toBe("delivered");
      expect(performance.now() - begun).toBeLessThan(AMPLE_MS / 2);
    });

    withService("gives every attempt at one message the same key", async (service) => {
      await service.mood({ type: "resets" });
      await deliver();
      await service.mood({ type: "busy", retryAfterSeconds: 1 });
      await deliver();
      await service.mood({ type: "accepts", saying: "" });
      await deliver();
      expect(service.keys()).toHaveLength(3);
      expect(new Set(service.keys())).toEqual(new Set([service.keys()[0]]));
    });

    withService("shows no secret, even when the receiver repeats it in any encoding", async (service) => {
      for (const secret of under.secrets) {
        for (const encoded of encodings(secret)) {
          await service.mood({ type: "refuses", saying: `<${encoded}> is wrong` });
          const { detail } = await deliver();
          expect(detail).not.toContain(encoded);
          expect(detail).toContain("is wrong");
        }
      }
    });

    withService("shows no beginning of a secret where a long reply is cut", async (service) => {
      for (const secret of under.secrets) {
        for (const before of [100, 110, 119, 65_530]) {
          const filler = before < 1000 ? "x".repeat(before) : "\0".repeat(before);
          await service.mood({ type: "refuses", saying: `${filler}${secret}` });
          expect((await deliver()).detail).not.toContain(secret.slice(0, 5));
        }
      }
    });
  });
}

function encodings(secret: string): string[] {
  return [
    secret,
    secret.toUpperCase(),
    encodeURIComponent(secret),
    encodeURIComponent(secret).toLowerCase(),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString("base64"),
  ];
}
