import { describe, expect, it } from "vitest";
import { LoneNode, MESH, START } from "../../test/contract/lone-node.ts";
import { days, hours, minutes, wallTime } from "../kit/time.ts";
import { dutiesOf } from "./duties.ts";
import { incidentId } from "./incident-id.ts";
import { emptyLedger, merge, prune } from "./ledger.ts";
import type { LedgerRecord } from "./ledger-records.ts";

const phone = [{ name: "phone", type: "webhook" }];
const incident = incidentId(MESH, "down", "s", 1);

/** A death that was told and resolved; the author of each part has a clock of its own. */
function settled(offsets: { open?: number; resolved?: number; back?: number }): LedgerRecord[] {
  const message = { incidents: [incident], channel: "phone", attempt: 1, detail: "" } as const;
  const delivered = { ...message, t: "delivery", outcome: "delivered" } as const;
  return [
    {
      t: "incident",
      incident,
      kind: "down",
      subject: "s",
      name: "s",
      incarnation: 1,
      verdict: "host-down",
      since: wallTime(START),
      by: "a",
    },
    {
      ...delivered,
      message: "1",
      phase: "open",
      node: "a",
      at: wallTime(START + 1000 + (offsets.open ?? 0)),
    },
    {
      t: "resolved",
      incident,
      by: "b",
      how: "returned",
      at: wallTime(START + 60_000 + (offsets.resolved ?? 0)),
    },
    {
      ...delivered,
      message: "2",
      phase: "resolved",
      node: "b",
      at: wallTime(START + 61_000 + (offsets.back ?? 0)),
    },
  ];
}

const HOUR = hours(1);

describe("forgetting what is over", () => {
  it.each([
    ["who told of the return", { back: -HOUR }],
    ["who told of the death", { open: -HOUR }],
    ["who saw it return", { resolved: -HOUR }],
    ["everybody but the first observer", { open: -HOUR, resolved: -HOUR, back: -HOUR }],
    ["everybody, being ahead", { open: HOUR, resolved: HOUR, back: HOUR }],
  ])("owes and opens nothing again when the clock of %s is wrong", (_who, offsets) => {
    const ledger = emptyLedger();
    for (const record of settled(offsets)) merge(ledger, record);
    for (let at = 29 * days(1); at <= days(31); at += minutes(10)) {
      prune(ledger, wallTime(START + at));
      expect(ledger.open.size).toBe(0);
      expect(
        dutiesOf({ ledger, channels: phone, self: "a", peers: new Map() }, wallTime(START + at)),
      ).toEqual([]);
    }
    expect(ledger.records.size).toBe(0);
  });

  it("takes back nothing of it from a peer that forgets later, in whatever order it comes", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    const records = settled({});
    node.say("b", { t: "ledger", records });
    node.wallStep = days(31);
    node.pass(minutes(11), ["b"]);
    expect(node.state.ledger.records.size).toBe(0);
    for (const record of [...records].reverse()) node.say("b", { t: "ledger", records: [record] });
    expect(node.state.ledger.records.size).toBe(0);
    expect(node.told()).toEqual([]);
  });

  it("tells of a death after the wall clock was a year ahead for a while", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    node.wallStep = days(365);
    node.pass(minutes(11), ["b"]);
    node.wallStep = 0;
    node.pass(1000, ["b"]);
    node.pass(5000);
    expect(node.told()).toEqual(["b unreachable from a"]);
  });

  it("tells of a death after a member wrote thousands of records from the future", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    const forged = Array.from(
      { length: 5000 },
      (_, index): LedgerRecord => ({
        t: "message",
        message: String(index),
        incidents: [],
        phase: "open",
        node: "b",
        at: wallTime(8.64e15),
        title: "",
        text: "",
      }),
    );
    node.say("b", { t: "ledger", records: forged });
    node.pass(minutes(11), ["b"]);
    node.pass(5000);
    expect(node.told()).toEqual(["b unreachable from a"]);
  });
});
