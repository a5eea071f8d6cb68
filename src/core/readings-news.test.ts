import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { LoneNode, rosterOf } from "../../test/contract/lone-node.ts";
import { hostSample, readingSample } from "../../test/contract/sample-readings.ts";
import { seconds } from "../kit/time.ts";
import { decodeEnvelope, encodeEnvelope } from "../wire/envelope.ts";
import { LIFE_LEAP_MAX, SYNC_EVERY } from "./limits.ts";
import type { PeerMessage, ReadingsNews } from "./messages.ts";
import { SENSORS_MAX } from "./thermal/sensor-table.ts";
import { blackBoxOf, readingsView } from "./view-of-readings.ts";

const PERIOD = seconds(10);

/** What a node says of readings to one peer, taken out of its effects, as the codec carries it. */
function said(node: LoneNode, to: string): PeerMessage[] {
  const messages = node.effects.flatMap((effect) =>
    effect.type === "send" && effect.to === to && effect.envelope.message.t.startsWith("readings")
      ? [effect.envelope]
      : [],
  );
  node.effects.length = 0;
  return messages.map((envelope) => {
    const decoded = decodeEnvelope(encodeEnvelope(envelope));
    if (!decoded.ok || decoded.value === "unknown-message") throw new Error(JSON.stringify(decoded));
    return decoded.value.message;
  });
}

const kinds = (messages: readonly PeerMessage[]): string[] =>
  messages.map((message) => {
    if (message.t !== "readings") return message.t;
    return message.passes.map(({ all }) => (all === undefined ? "changes" : "all")).join();
  });

/** What it knows of a host's sensors: each one's value. */
const known = (node: LoneNode, host: string): (number | null)[] =>
  readingsView(node.state, node.env())
    .find(({ name }) => name === host)
    ?.readings.map(({ value }) => value) ?? [];

/** Everything either says reaches the other, until both are silent. */
function exchange(a: LoneNode, s: LoneNode): string[] {
  const log: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    const toS = said(a, "s");
    const toA = said(s, "a");
    if (toS.length + toA.length === 0) return log;
    for (const message of toS) s.say("a", message);
    for (const message of toA) a.say("s", message);
    log.push(...kinds(toA).map((kind) => `s ${kind}`), ...kinds(toS).map((kind) => `a ${kind}`));
  }
  throw new Error(`they go on: ${log.join()}`);
}

const feel = (node: LoneNode, cpu: number): void =>
  node.input({ type: "readings", readings: hostSample(cpu) });

function later(length: number, ...nodes: LoneNode[]): void {
  for (const node of nodes) node.now += length;
}

describe("two nodes", () => {
  let a: LoneNode;
  let s: LoneNode;
  beforeEach(() => {
    a = new LoneNode(["a", "s"]);
    s = new LoneNode(["s", "a"]);
    a.connect("s");
    s.connect("a");
  });

  it("learn each sensor once, all values once, and then what changes", () => {
    feel(s, 40);
    expect(exchange(a, s)).toEqual(["s all", "a readings-want", "s readings-table", "s all"]);
    later(PERIOD, a, s);
    feel(s, 41);
    expect(exchange(a, s)).toEqual(["s changes"]);
    expect(known(a, "s")).toEqual(hostSample(41).map(({ value }) => value));
  });

  it("say again only what a new session needs", () => {
    feel(s, 40);
    exchange(a, s);
    later(PERIOD, a, s);
    s.input({ type: "session-down", peer: "a", session: "with a", end: "reset" });
    s.connect("a");
    expect(exchange(a, s)).toEqual(["s all"]);
  });

  it("tell how old a pass is that was made before they met", () => {
    const alone = new LoneNode(["s", "a"]);
    feel(alone, 40);
    later(4000, alone, a);
    alone.connect("a");
    exchange(a, alone);
    expect(readingsView(a.state, a.env())[1]).toMatchObject({ name: "s", source: "direct", age: 4000 });
  });

  it("describe the sensors anew when they change", () => {
    feel(s, 40);
    exchange(a, s);
    later(PERIOD, a, s);
    s.input({ type: "readings", readings: hostSample(40).slice(1) });
    expect(exchange(a, s)).toEqual(["s all", "a readings-want", "s readings-table", "s all"]);
    expect(known(a, "s")).toHaveLength(4);
  });

  it("go on where one of them was started anew", () => {
    feel(s, 40);
    exchange(a, s);
    const again = new LoneNode(
      ["s", "a"],
      [...s.disk].map(([key, value]) => ({ key, value })),
    );
    later(PERIOD, a);
    again.connect("a");
    feel(again, 50);
    expect(exchange(a, again)).toEqual(["s all"]);
    expect(known(a, "s")[0]).toBe(50);
  });

  it("ask once in a while only, however much they are told that they cannot read", () => {
    for (let pass = 1; pass < 50; pass += 1)
      a.say("s", { t: "readings", passes: [{ life: 1, pass, table: "unknown", all: [1] }] });
    expect(kinds(said(a, "s"))).toEqual(["readings-want"]);
    later(SYNC_EVERY, a);
    a.say("s", { t: "readings", passes: [{ life: 1, pass: 50, table: "unknown", all: [1] }] });
    expect(kinds(said(a, "s"))).toEqual(["readings-want"]);
  });

  it("find together again after any loss, repetition, disorder and restart", () => {
    const trouble = fc.array(
      fc.record({
        cpu: fc.integer({ min: 30, max: 99 }),
        sensors: fc.integer({ min: 1, max: 5 }),
        fate: fc.constantFrom("arrives", "lost", "late", "twice", "session", "restart", "life"),
      }),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(trouble, (events) => {
        const receiver = new LoneNode(["a", "s"]);
        let sender = new LoneNode(["s", "a"]);
        receiver.connect("s");
        sender.connect("a");
        let held: PeerMessage[] = [];
        for (const { cpu, sensors, fate } of events) {
          later(PERIOD, receiver, sender);
          if (fate === "restart") {
            sender = new LoneNode(
              ["s", "a"],
              [...sender.disk].map(([key, value]) => ({ key, value })),
            );
            sender.now = receiver.now;
          }
          if (fate === "session" || fate === "restart") sender.connect("a");
          if (fate === "life") sender.beat("a", { view: "host-down" });
          sender.input({ type: "readings", readings: hostSample(cpu).slice(0, sensors) });
          const news = said(sender, "a");
          if (fate !== "lost" && fate !== "late") for (const each of news) receiver.say("s", each);
          if (fate === "twice") for (const each of news) receiver.say("s", each);
          for (const each of held) receiver.say("s", each);
          held = fate === "late" ? news : [];
          for (const each of said(receiver, "s")) if (fate !== "lost") sender.say("a", each);
          if (fate === "late") held.push(...said(sender, "a"));
        }
        for (let calm = 0; calm < 2; calm += 1) {
          later(PERIOD, receiver, sender);
          sender.input({ type: "readings", readings: hostSample(70 + calm) });
          exchange(receiver, sender);
        }
        expect(known(receiver, "s")).toEqual(hostSample(71).map(({ value }) => value));
      }),
      { numRuns: 60 },
    );
  });
});

describe("what a peer says", () => {
  let a: LoneNode;
  beforeEach(() => {
    a = new LoneNode(["a", "b", "s"]);
    for (const peer of ["b", "s"]) a.connect(peer);
    a.beat("s");
    a.beat("b");
    tell("s", "s", { pass: 5 });
  });

  const table = (id: string) => ({
    id,
    sensors: [readingSample()].map(({ value, validity, alarm, at, ...sensor }) => sensor),
  });
  const tell = (from: string, node: string, pass: Partial<ReadingsNews["passes"][number]>): void => {
    a.say(from, { t: "readings-table", node, table: table("t") });
    const whose = node === from ? {} : { node };
    a.say(from, { t: "readings", passes: [{ ...whose, life: 1, pass: 1, table: "t", all: [40], ...pass }] });
  };
  const disconnect = (peer: string): void =>
    a.input({ type: "session-down", peer, session: `with ${peer}`, end: "reset" });

  it("of another host does not count while that host is heard itself", () => {
    tell("b", "s", { pass: 9, all: [99] });
    expect(known(a, "s")).toEqual([40]);
    disconnect("s");
    tell("b", "s", { pass: 9, all: [99] });
    expect(known(a, "s")).toEqual([99]);
    a.connect("s");
    tell("s", "s", { pass: 6, all: [41] });
    expect(known(a, "s")).toEqual([41]);
  });

  it("of a life that cannot be is not believed", () => {
    disconnect("s");
    tell("b", "s", { life: LIFE_LEAP_MAX + 2, all: [99] });
    expect(known(a, "s")).toEqual([40]);
  });

  it("of this node itself, or of nobody, changes nothing", () => {
    tell("b", "a", { all: [99] });
    tell("b", "stranger", { all: [99] });
    expect(known(a, "a")).toEqual([]);
    expect([...a.state.senses.boxes.keys()]).toEqual(["s"]);
    expect([...a.state.senses.tables.keys()]).toEqual(["s"]);
  });

  it.each([
    ["with too few values", { all: [] }],
    ["with too many", { all: [1, 2] }],
    ["with changes to another pass", { since: 3, changed: [[0, 1]] }],
    ["with a change of a place that is none", { since: 5, changed: [[1, 1]] }],
    ["with nothing", {}],
  ] as const)("%s is asked about", (_, { ...fields }) => {
    said(a, "s");
    a.say("s", {
      t: "readings",
      passes: [{ life: 1, pass: 6, table: "t", ...fields }] as ReadingsNews["passes"],
    });
    expect(known(a, "s")).toEqual([40]);
    expect(kinds(said(a, "s"))).toEqual(["readings-want"]);
  });

  it("out of its time is no news", () => {
    tell("s", "s", { pass: 4, all: [99] });
    tell("s", "s", { pass: 5, all: [99] });
    expect(known(a, "s")).toEqual([40]);
  });

  it("is forgotten with the member", () => {
    a.input({ type: "roster", roster: rosterOf(["a", "b"], 1, 2) });
    expect(a.state.senses.boxes.size + a.state.senses.tables.size).toBe(0);
  });

  it("is kept for history, and shown as a black box", () => {
    tell("s", "s", { pass: 6, all: ["fault"] });
    expect(a.effects.flatMap((effect) => (effect.type === "felt" ? [effect.node] : []))).toEqual(["s", "s"]);
    expect(blackBoxOf(a.state, "s")).toMatchObject({
      name: "s",
      samples: [{ values: [40] }, { values: [null] }],
    });
    expect(blackBoxOf(a.state, "b")).toBeUndefined();
  });
});

describe("a host that a node does not hear itself", () => {
  let a: LoneNode;
  let b: LoneNode;
  beforeEach(() => {
    a = new LoneNode(["a", "b", "s"]);
    b = new LoneNode(["b", "a", "s"]);
    b.input({ type: "roster", roster: rosterOf(["a", "b", "s"], 1, 2) });
    a.input({ type: "roster", roster: rosterOf(["a", "b", "s"], 1, 2) });
    a.connect("b");
    b.connect("a");
    b.connect("s");
  });

  /** `s` tells b its passes up to this one; a beats with b for twelve seconds. */
  const upTo = (pass: number): void => {
    const told = b.state.senses.boxes.get("s")?.at(-1)?.pass ?? 0;
    const s = new LoneNode(["s", "b"]);
    s.connect("b");
    for (let number = 1; number <= pass; number += 1) feel(s, 40 + number);
    for (const message of said(s, "b")) {
      const news = message.t === "readings" ? message.passes[0] : undefined;
      if (news !== undefined && news.pass > told) b.say("s", message);
    }
    for (const message of said(b, "s")) s.say("b", message);
    for (const message of said(s, "b")) b.say("s", message);
    b.effects.length = 0;
  };
  const gossip = (): string[] => {
    a.pass(12_000, ["b"]);
    b.now = a.now;
    const log: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const [toB, toA] = [said(a, "b"), said(b, "a")];
      log.push(...kinds(toB), ...kinds(toA));
      for (const message of toB) b.say("a", message);
      for (const message of toA) a.say("b", message);
    }
    return log;
  };

  it("is asked for among the others, and followed from afar", () => {
    upTo(1);
    expect(gossip()).toEqual(["readings-held", "all", "readings-want", "readings-table", "all"]);
    expect(readingsView(a.state, a.env())[2]).toMatchObject({ name: "s", source: "relayed" });
    upTo(3);
    expect(gossip()).toEqual(["readings-held"]);
    upTo(4);
    expect(gossip()).toEqual(["readings-held", "changes"]);
    expect(known(a, "s")[0]).toBe(44);
  });

  it("is told of to its last, once that is some time ago", () => {
    upTo(1);
    gossip();
    upTo(2);
    expect(gossip()).not.toContain("changes");
    gossip();
    expect(gossip()).toContain("changes");
    expect(known(a, "s")[0]).toBe(42);
    expect(gossip()).not.toContain("changes");
  });

  it("is nobody's question where all are heard, or rosters differ", () => {
    a.connect("s");
    expect(gossip()).toEqual([]);
    upTo(1);
    b.say("a", {
      t: "readings-held",
      roster: { generation: 1, term: 1, opener: "opener-a", epoch: 1 },
      held: [[2, 0, 0]],
    });
    expect(said(b, "a")).toEqual([]);
  });
});

it("forty sensors cost little", () => {
  const s = new LoneNode(["s", "a"]);
  s.connect("a");
  const many = (pass: number) =>
    Array.from({ length: 40 }, (_, index) =>
      readingSample({ id: `platform/coretemp.0/temp${index}`, value: 40 + ((index * 7 + pass * 13) % 23) }),
    );
  for (let pass = 0; pass < 10; pass += 1) s.input({ type: "readings", readings: many(pass) });
  const bytes = said(s, "a").map((message) => encodeEnvelope({ message }).length);
  expect(Math.max(...bytes)).toBeLessThan(300);
});

it("the longest table and pass there can be are carried", () => {
  const text = "\u{1F525}".repeat(50);
  const a = new LoneNode(["a", "s"]);
  const s = new LoneNode(["s", "a"]);
  a.connect("s");
  s.connect("a");
  const readings = Array.from({ length: SENSORS_MAX + 10 }, (_, index) =>
    readingSample({
      id: `${index}/`.padEnd(240, "x"),
      name: text,
      label: text,
      driver: text,
      value: -123.456,
      alarm: true,
    }),
  );
  s.input({ type: "readings", readings });
  exchange(a, s);
  expect(known(a, "s")).toHaveLength(SENSORS_MAX);
});
