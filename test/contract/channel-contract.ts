/** What every channel promises (src/ports/channel.ts), whatever service is behind it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DeliveryOutcome } from "../../src/core/io.ts";
import type { Notification } from "../../src/core/notification.ts";
import type { Channel } from "../../src/ports/channel.ts";
import {
  LONG_NOTIFICATION,
  LONG_TITLE_BEGINS,
  SAMPLE_NOTIFICATION,
  STATES_AND_SEVERITIES,
} from "./sample-notification.ts";

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

/** One message as it reached the service. */
export interface Arrived {
  /** What the service tells repeated deliveries apart by; absent where it takes no such thing. */
  readonly key?: string | undefined;
  /** All that a person would be shown of it. */
  readonly words: string;
}

export interface Service {
  mood(mood: ServiceMood): Promise<void>;
  /** Each message that was received whole, whatever became of it. */
  arrived(): readonly Arrived[];
}

export interface ChannelUnderTest {
  readonly channel: Channel;
  /** Absent for a channel that has nobody to talk to. */
  readonly service?: Service;
  /** Everything in the channel's settings that must never be shown. */
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

export interface Exceptions {
  /** It has nobody to talk to, so that most promises cannot be broken. */
  readonly alone?: boolean;
  /** The service takes nothing that it could tell repeated deliveries apart by. */
  readonly keyless?: boolean;
  /** The service tells incidents apart, not messages: two messages about one incident have one key. */
  readonly keyedByIncident?: boolean;
  /** The service knows when, not what: a ping holds no words. */
  readonly wordless?: boolean;
  /** The service has no way to say when to come again, in its protocol as documented. */
  readonly neverSaysWhen?: boolean;
  /** States that the service has no place for: they count as delivered, and nothing arrives. */
  readonly untold?: readonly Notification["state"][];
}

const AMPLE_MS = 10_000;
const SHORT_MS = 250;
/** Timers, sockets and a busy machine. */
const SLACK_MS = 750;

export function channelContract(
  name: string,
  make: () => Promise<ChannelUnderTest>,
  exceptions: Exceptions = {},
): void {
  describe(`${name} keeps the contract of a channel`, () => {
    let under: ChannelUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    afterEach(() => under.close());

    const tell = async (notification: Notification, timeoutMs = AMPLE_MS): Promise<DeliveryOutcome> => {
      const result = await under.channel.deliver(notification, timeoutMs);
      expect(result.detail.length).toBeLessThanOrEqual(200);
      expect(result.detail).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      for (const secret of under.secrets) expect(result.detail).not.toContain(secret);
      return result;
    };
    const deliver = (timeoutMs?: number): Promise<DeliveryOutcome> => tell(SAMPLE_NOTIFICATION, timeoutMs);
    const withService = (behaviour: string, test: (service: Service) => Promise<void>): void => {
      if (exceptions.alone) return;
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
      expect((await deliver()).detail).toContain("queued as 4711");
    });

    withService("waits as long as a busy receiver asks", async (service) => {
      await service.mood({ type: "busy", retryAfterSeconds: 7 });
      const result = await deliver();
      expect(result.outcome).toBe("temporary");
      if (!exceptions.neverSaysWhen) expect(result).toMatchObject({ retryAfterMs: 7000 });
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
      expect(service.arrived()).toHaveLength(1);
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

    withService(
      "gives every attempt at one message the same key, and every message its own",
      async (service) => {
        await service.mood({ type: "mute" });
        await deliver(SHORT_MS);
        await service.mood({ type: "busy", retryAfterSeconds: 1 });
        await deliver();
        await service.mood({ type: "accepts", saying: "" });
        await deliver();
        await tell({ ...SAMPLE_NOTIFICATION, id: "f".repeat(32) });
        const keys = service.arrived().map(({ key }) => key);
        expect(keys).toHaveLength(4);
        if (exceptions.keyless) return;
        expect(keys[0]).toBeTruthy();
        expect(new Set(keys.slice(0, 3))).toEqual(new Set([keys[0]]));
        if (exceptions.keyedByIncident) expect(keys[3]).toBe(keys[0]);
        else expect(keys[3]).not.toBe(keys[0]);
      },
    );

    withService(
      "shortens what is too long for the service, and keeps the beginning of the title",
      async (service) => {
        await service.mood({ type: "accepts", saying: "" });
        expect(await tell(LONG_NOTIFICATION)).toMatchObject({ outcome: "delivered" });
        if (exceptions.wordless) return;
        const words = service
          .arrived()
          .map((message) => message.words)
          .join("\n");
        expect(words).toContain(LONG_TITLE_BEGINS);
        expect(words.isWellFormed()).toBe(true);
        expect(words).not.toContain("\ufffd");
      },
    );

    withService("tells of each state in each severity", async (service) => {
      await service.mood({ type: "accepts", saying: "" });
      for (const notification of STATES_AND_SEVERITIES) {
        const before = service.arrived().length;
        expect(await tell(notification)).toMatchObject({ outcome: "delivered" });
        const words = service
          .arrived()
          .slice(before)
          .map((message) => message.words)
          .join("\n");
        if (exceptions.wordless) continue;
        if (exceptions.untold?.includes(notification.state)) expect(words).toBe("");
        else expect(words).toContain(notification.title);
      }
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
