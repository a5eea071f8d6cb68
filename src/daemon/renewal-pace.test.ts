/** When a node asks for its certificate, in virtual time. What is asked and answered: renewal.test.ts. */
import { describe, expect, test } from "vitest";
import { Timeline } from "../../test/sim/timeline.ts";
import type { CertificateFacts } from "../adapters/pki/certificates.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { days, hours, type Instant, minutes, seconds, type WallTime, wallTime } from "../kit/time.ts";
import { createRenewal, type Renewal, WISH_PAUSE, WISHES_PER_LIFE } from "./renewal.ts";

const START = 1_800_000_000_000;
/** Its last digits make the renewal due at a third of its life, on day 10. */
const SERIAL = "40000000000000000000000000000000";

/** A node whose certificate began at `START`, and a keymaster that answers as told. */
class Pace {
  readonly timeline = new Timeline();
  /** Of the node's own clock. */
  clockOff = 0;
  readonly askedAt: number[] = [];
  answer: () => Promise<Result<string>> = () => this.away();
  facts: CertificateFacts = this.#lasting(START);
  readonly renewal: Renewal;

  constructor(age: number, clockOff = 0) {
    this.timeline.now = age;
    this.clockOff = clockOff;
    this.renewal = createRenewal({
      certificate: {
        facts: this.facts,
        request: () => "csr",
        replace: () => {
          Object.assign(this.facts, this.#lasting(this.#wall()));
          return Promise.resolve(ok(undefined));
        },
      },
      sign: () => {
        this.timeline.settle();
        this.askedAt.push(this.timeline.now - age);
        return this.answer();
      },
      onRenewed: () => {},
      onLate: () => {},
      log: () => {},
      wall: () => this.#wall(),
      now: () => this.timeline.now as Instant,
      chance: () => 0.5,
      timer: (wait, then) => {
        let wanted = true;
        this.timeline.in(wait, () => wanted && then());
        return () => {
          wanted = false;
        };
      },
    });
  }

  #wall(): WallTime {
    return wallTime(START + this.timeline.now + this.clockOff);
  }

  #lasting(from: number): CertificateFacts {
    return { serial: SERIAL, issuer: "x", notBefore: wallTime(from), notAfter: wallTime(from + days(30)) };
  }

  /** A keymaster that is gone: after so long nobody has answered. */
  away(after = 0): Promise<Result<string>> {
    return new Promise((resolve) => {
      this.timeline.in(after, () => {
        resolve(failure("keymaster-unreachable", "nobody answers", undefined, true));
        this.timeline.settle();
      });
    });
  }

  there = (): Promise<Result<string>> => Promise.resolve(ok("pem"));

  /** How often it has asked in so long. */
  async pass(length: number): Promise<number> {
    const before = this.askedAt.length;
    await this.timeline.runUntil(this.timeline.now + length);
    return this.askedAt.length - before;
  }
}

describe("a node without its keymaster", () => {
  test("asks again and again, at least once in an hour and a quarter", async () => {
    const node = new Pace(days(12));
    node.renewal.start();
    expect(await node.pass(hours(1))).toBeGreaterThanOrEqual(5);
    for (let hour = 0; hour < 24; hour += 1) expect(await node.pass(minutes(75))).toBeGreaterThanOrEqual(1);
  });

  test("asks another one within two seconds, whatever pause it was in", async () => {
    const node = new Pace(days(40));
    node.renewal.start();
    await node.pass(days(1));
    node.answer = node.there;
    node.renewal.keymasterChanged();
    expect(await node.pass(seconds(2))).toBe(1);
    expect(node.renewal.lastTry()?.failure).toBeUndefined();
    expect(await node.pass(days(9))).toBe(0);
  });

  test("asks within two seconds once it is reached again, and not because others are", async () => {
    const node = new Pace(days(40));
    node.renewal.start();
    await node.pass(days(1));
    node.answer = node.there;
    node.renewal.keymasterReached();
    expect(await node.pass(seconds(2))).toBe(1);
    node.renewal.keymasterReached();
    expect(await node.pass(days(9))).toBe(0);
  });

  test("does not wait for the answer of the one that is gone before it asks another", async () => {
    const node = new Pace(days(40));
    node.answer = () => node.away(seconds(10));
    node.renewal.start();
    await node.pass(seconds(4));
    expect(node.askedAt).toHaveLength(1);
    node.answer = node.there;
    node.renewal.keymasterChanged();
    expect(await node.pass(seconds(2))).toBe(1);
    expect(node.renewal.lastTry()?.failure).toBeUndefined();
    // The old question's end, when it comes, changes nothing.
    await node.pass(seconds(20));
    expect(node.renewal.lastTry()?.failure).toBeUndefined();
    expect(node.askedAt).toHaveLength(2);
  });
});

test("a new keymaster is not troubled by those whose certificates are in order", async () => {
  const node = new Pace(days(5));
  node.answer = node.there;
  node.renewal.start();
  await node.pass(minutes(1));
  node.renewal.keymasterChanged();
  expect(await node.pass(days(4))).toBe(0);
});

test("asked to hasten, a node is renewed though nothing is due, and tries until it is", async () => {
  const node = new Pace(days(5));
  node.renewal.start();
  await node.pass(minutes(1));
  node.renewal.hasten();
  expect(await node.pass(seconds(2))).toBe(1);
  node.answer = node.there;
  expect(await node.pass(minutes(2))).toBe(1);
  expect(node.renewal.lastTry()?.failure).toBeUndefined();
  expect(await node.pass(days(9))).toBe(0);
});

test("a clock that was a year ahead, and is set right, leaves no pause of a year behind", async () => {
  const node = new Pace(days(9), days(365));
  node.renewal.start();
  await node.pass(minutes(5));
  expect(node.askedAt.length).toBeGreaterThan(0);
  node.clockOff = 0;
  node.answer = node.there;
  await node.pass(days(3));
  expect(node.renewal.lastTry()?.failure).toBeUndefined();
  expect(node.renewal.nextTryAt()).toBeLessThan(START + days(9 + 3 + 15));
});

describe("other nodes' wishes", () => {
  const tooOften = { ok: false, error: { code: "limit-reached", retry: true } };

  test("are met now and then, its own operator's always", async () => {
    const node = new Pace(days(5));
    node.answer = node.there;
    expect(await node.renewal.renewForPeer(true)).toMatchObject({ ok: true });
    expect(await node.renewal.renewForPeer(true)).toMatchObject(tooOften);
    expect(await node.renewal.renew()).toMatchObject({ ok: true });
    await node.pass(WISH_PAUSE);
    expect(await node.renewal.renewForPeer(true)).toMatchObject({ ok: true });
  });

  test("use up no more than a few certificates in a life, however often a member asks", async () => {
    const node = new Pace(days(5));
    node.answer = node.there;
    node.renewal.start();
    for (let hour = 0; hour <= 30 * 24; hour += 1) {
      await node.renewal.renewForPeer(false);
      await node.pass(hours(1));
    }
    expect(node.askedAt).toHaveLength(WISHES_PER_LIFE + 1);
    expect(await node.renewal.renewForPeer(false)).toMatchObject({
      ...tooOften,
      error: { remedy: expect.stringContaining("on the keymaster") },
    });
    expect(await node.renewal.renewForPeer(true)).toMatchObject({ ok: true });
  });

  test("are met at once where it is due, also after one that failed", async () => {
    const node = new Pace(days(5));
    node.answer = node.there;
    expect(await node.renewal.renewForPeer(false)).toMatchObject({ ok: true });
    await node.pass(days(11));
    node.answer = () => Promise.resolve(failure("keymaster-unreachable", "nobody answers", undefined, true));
    expect(await node.renewal.renewForPeer(false)).toMatchObject({
      error: { code: "keymaster-unreachable" },
    });
    await node.pass(WISH_PAUSE);
    node.answer = node.there;
    expect(await node.renewal.renewForPeer(false)).toMatchObject({ ok: true });
  });
});
