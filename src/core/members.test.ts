import { describe, expect, it } from "vitest";
import { LoneNode, MESH, START } from "../../test/contract/lone-node.ts";
import { minutes, wallTime } from "../kit/time.ts";
import { incidentId } from "./incident-id.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import { LEDGER_FULL, OPEN_MAX } from "./limits.ts";

const opened = (
  index: number,
  fields: Partial<Extract<LedgerRecord, { t: "incident" }>> = {},
): LedgerRecord => ({
  t: "incident",
  incident: incidentId(MESH, "down", `gone-${index}`, 1),
  kind: "down",
  subject: `gone-${index}`,
  name: `gone-${index}`,
  incarnation: 1,
  verdict: "host-down",
  since: wallTime(START),
  by: "b",
  ...fields,
});

const receiptNumber = (
  index: number,
  fields: Partial<Extract<LedgerRecord, { t: "delivery" }>> = {},
): LedgerRecord => ({
  t: "delivery",
  message: String(index),
  incidents: [],
  phase: "open",
  channel: "phone",
  node: "b",
  at: wallTime(START),
  outcome: "failed",
  attempt: 1,
  detail: "",
  ...fields,
});

describe("a member that is mistaken or worse", () => {
  it("cannot end the others by an answer about a time nobody can have heard", () => {
    const node = new LoneNode(["a", "b", "s"]);
    for (const peer of ["b", "s"]) node.connect(peer);
    node.pass(1000, ["b", "s"]);
    for (let round = 0; round < 100; round += 1) {
      node.pass(50, ["b"]);
      node.say("b", {
        t: "answer",
        subject: "s",
        state: "silent",
        incarnation: 1,
        heard: Number.MAX_SAFE_INTEGER,
        path: "none",
        probe: "none",
      });
    }
    expect(node.told()).toEqual(["s is down"]);
  });

  it("cannot open an incident under an id that is not its own", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    node.say("b", { t: "ledger", records: [opened(1, { incident: "0".repeat(32) })] });
    expect(node.state.ledger.records.size).toBe(0);
    node.say("b", { t: "ledger", records: [opened(1)] });
    expect(node.state.ledger.records.size).toBe(1);
  });

  it("cannot fill the memory, and keeps no node from entering a death of its own", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    const incident = incidentId(MESH, "down", "gone-1", 1);
    const flood = Array.from(
      { length: LEDGER_FULL + 500 },
      (_, index): LedgerRecord => ({
        t: "evidence",
        incident,
        observer: `x${index}`,
        name: "x",
        path: "none",
        probe: "none",
        at: wallTime(START),
      }),
    );
    node.say("b", { t: "ledger", records: [opened(1), ...flood] });
    expect(node.state.ledger.records.size).toBe(LEDGER_FULL);
    node.pass(1000, ["b"]);
    node.pass(5000);
    expect(node.told().join()).toMatch(/b/);
  });

  it("cannot open incidents without end", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    const many = Array.from({ length: OPEN_MAX + 100 }, (_, index) => opened(index));
    node.say("b", { t: "ledger", records: many });
    expect(node.state.ledger.open.size).toBe(OPEN_MAX);
  });

  it("leaves no trace of failures on channels and of nodes that do not exist", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    const records = Array.from({ length: 100 }, (_, index) =>
      index % 2 === 0
        ? receiptNumber(index, { node: `nobody-${index}` })
        : receiptNumber(index, { channel: `nowhere-${index}` }),
    );
    node.say("b", { t: "ledger", records });
    expect(node.state.notify.failures.size).toBe(0);
  });

  it("is believed about its period only within reason", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    node.beat("b", { period: 0 });
    node.pass(20);
    expect(node.state.peers.get("b")?.condition.kind).toBe("alive");
    node.pass(1000, ["b"], { period: 315_360_000_000 });
    node.pass(minutes(2));
    expect(node.state.peers.get("b")?.condition.kind).toBe("down");
  });
});

describe("what is too much for one record, message or write", () => {
  it("tells of more hosts than one record can name in several messages", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    const many = Array.from({ length: 150 }, (_, index) => opened(index));
    node.say("b", { t: "ledger", records: many });
    node.pass(minutes(1), ["b"]);
    const sizes = node.effects.flatMap((effect) =>
      effect.type === "deliver" && effect.channel === "phone" ? [effect.notification.subjects.length] : [],
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(150);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(128);
  });

  it("names no more keys in a summary than a receiver takes", () => {
    const stored = Array.from({ length: 9000 }, (_, index) => {
      const receipt = receiptNumber(index);
      return { key: `ledger/d/${index}/b`, value: JSON.stringify(receipt) };
    });
    const node = new LoneNode(["a", "b"], stored);
    node.connect("b");
    node.pass(3000, ["b"]);
    const sizes = node.effects.flatMap((effect) =>
      effect.type === "send" && effect.envelope.message.t === "ledger-summary"
        ? [effect.envelope.message.keys.length]
        : [],
    );
    expect(sizes.length).toBeGreaterThan(0);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(8192);
  });

  it("writes all it holds in parts once the disk works again, and finds out by itself that it does", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    const many = Array.from({ length: 3000 }, (_, index) => receiptNumber(index));
    node.say("b", { t: "ledger", records: many });
    node.input({ type: "store-failed", reason: "no space left" });
    node.effects.length = 0;
    node.pass(minutes(1), ["b"]);
    expect(node.effects.some(({ type }) => type === "persist")).toBe(true);
    node.effects.length = 0;
    node.input({ type: "store-recovered" });
    const writes = node.effects.flatMap((effect) =>
      effect.type === "persist" ? [effect.records.length] : [],
    );
    expect(writes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(3000);
    expect(Math.max(...writes)).toBeLessThanOrEqual(500);
  });
});
