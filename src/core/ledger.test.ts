/** The ledger is the same everywhere, whatever came first and how often. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wallTime } from "../kit/time.ts";
import { digestOf, emptyLedger, keyOf, type Ledger, merge, versionOf } from "./ledger.ts";
import type { LedgerRecord } from "./ledger-records.ts";

const NODES = ["a", "b", "c"];
const INCIDENTS = ["i1", "i2", "i3"];
/** What a message tells is part of its id. */
const MESSAGES: Readonly<Record<string, readonly string[]>> = { m1: ["i1"], m2: ["i1", "i2"], m3: ["i3"] };

const node = fc.constantFrom(...NODES);
const incident = fc.constantFrom(...INCIDENTS);
const message = fc.constantFrom(...Object.keys(MESSAGES));
const time = fc.integer({ min: 1, max: 4 }).map((at) => wallTime(at * 1000));
const phase = fc.constantFrom("open" as const, "resolved" as const);
const told = { text: "", title: "" };

/** Records of few keys, so that most of them meet another version of themselves. */
const record: fc.Arbitrary<LedgerRecord> = fc.oneof(
  fc.record({ incident, since: time, by: node, verdict: fc.constantFrom("host-down", "unreachable") }).map(
    (each): LedgerRecord => ({
      t: "incident",
      kind: "down",
      subject: each.incident,
      name: each.incident,
      incarnation: 1,
      ...each,
    }),
  ),
  fc.record({ incident, at: time, observer: node, reportedBy: fc.option(node, { nil: undefined }) }).map(
    ({ reportedBy, ...each }): LedgerRecord => ({
      t: "evidence",
      name: each.observer,
      path: "datagram",
      probe: "silent",
      ...each,
      ...(reportedBy === undefined ? {} : { reportedBy }),
    }),
  ),
  fc
    .record({ incident, at: time, by: node })
    .map((each): LedgerRecord => ({ t: "resolved", how: "returned", ...each })),
  fc.record({ message, phase, node, at: time, renewal: fc.integer({ min: 1, max: 3 }) }).map(
    (each): LedgerRecord => ({
      t: "intent",
      channel: "phone",
      ...each,
      // One message has one phase, and one renewal one time.
      message: `${each.message}-${each.phase}`,
      at: wallTime(each.renewal),
      incidents: MESSAGES[each.message] ?? [],
    }),
  ),
  fc
    .record({
      message,
      phase,
      node,
      at: time,
      attempt: fc.integer({ min: 1, max: 3 }),
      outcome: fc.constantFrom("delivered" as const, "failed" as const),
    })
    .map(
      (each): LedgerRecord => ({
        t: "delivery",
        channel: "phone",
        detail: "",
        ...each,
        message: `${each.message}-${each.phase}`,
        incidents: MESSAGES[each.message] ?? [],
      }),
    ),
  fc.record({ message, phase, node, at: time }).map(
    (each): LedgerRecord => ({
      t: "message",
      ...told,
      ...each,
      message: `${each.message}-${each.phase}`,
      incidents: MESSAGES[each.message] ?? [],
    }),
  ),
);
const records = fc.array(record, { maxLength: 40 });

function merged(...batches: readonly (readonly LedgerRecord[])[]): Ledger {
  const ledger = emptyLedger();
  for (const each of batches.flat()) merge(ledger, each);
  return ledger;
}

/** All that decisions are made from. */
const essence = (ledger: Ledger) => ({
  digest: digestOf(ledger),
  records: [...ledger.records].sort(([a], [b]) => (a < b ? -1 : 1)),
  open: [...ledger.open].sort(([a], [b]) => (a < b ? -1 : 1)),
  told: [...ledger.told].sort(),
});

const shuffled = records.chain((each) =>
  fc.tuple(fc.constant(each), fc.shuffledSubarray(each, { minLength: each.length, maxLength: each.length })),
);

describe("the ledger", () => {
  it("is the same whatever order its records came in", () => {
    fc.assert(
      fc.property(shuffled, ([inOrder, inAnother]) => {
        expect(essence(merged(inAnother))).toEqual(essence(merged(inOrder)));
      }),
    );
  });

  it("does not change when told the same again, and calls nothing news twice", () => {
    fc.assert(
      fc.property(records, (each) => {
        const ledger = merged(each);
        const before = essence(ledger);
        expect([...ledger.records.values()].some((held) => merge(ledger, held))).toBe(false);
        for (const again of each) expect(merge(ledger, again)).toBe(false);
        expect(essence(ledger)).toEqual(before);
      }),
    );
  });

  it("is the same at two nodes that told each other all they hold", () => {
    fc.assert(
      fc.property(records, records, (one, other) => {
        const a = merged(one);
        const b = merged(other);
        const held = [...a.records.values()];
        for (const each of b.records.values()) merge(a, each);
        for (const each of held) merge(b, each);
        expect(essence(a)).toEqual(essence(b));
      }),
    );
  });

  it("has equal digests for equal ledgers and, as good as always, others for others", () => {
    fc.assert(
      fc.property(records, records, (one, other) => {
        const [a, b] = [merged(one), merged(other)];
        const versions = (ledger: Ledger): string[] =>
          [...ledger.records.values()].map((each) => `${keyOf(each)} ${versionOf(each)}`).sort();
        expect(digestOf(a) === digestOf(b)).toBe(versions(a).join() === versions(b).join());
      }),
    );
  });
});
