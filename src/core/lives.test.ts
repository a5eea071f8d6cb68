import { describe, expect, it } from "vitest";
import { LoneNode, MESH, START } from "../../test/contract/lone-node.ts";
import { wallTime } from "../kit/time.ts";
import { incidentId } from "./incident-id.ts";
import type { LedgerRecord } from "./ledger-records.ts";

const deathOf = (subject: string, incarnation: number): LedgerRecord => ({
  t: "incident",
  incident: incidentId(MESH, "down", subject, incarnation),
  kind: "down",
  subject,
  name: subject,
  incarnation,
  verdict: "host-down",
  since: wallTime(START),
  by: "b",
});

describe("a node's lives", () => {
  it("begin anew when a peer holds the present one for dead", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    node.beat("b", { view: "host-down", viewIncarnation: 1 });
    expect(node.state.incarnation).toBe(2);
  });

  it("are not pushed by a member's claim to where they cannot be raised any more", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    node.beat("b", { view: "host-down", viewIncarnation: Number.MAX_SAFE_INTEGER });
    node.say("b", { t: "ledger", records: [deathOf("a", Number.MAX_SAFE_INTEGER - 1)] });
    expect(node.state.incarnation).toBe(1);
    expect(node.state.ledger.open.size).toBe(0);
    expect(node.disk.get("self")).toBe('{"incarnation":1}');
  });

  it("go on behind the one that peers remember, when the store was lost", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    node.beat("b", { view: "planned", viewIncarnation: 57 });
    expect(node.state.incarnation).toBe(58);
    const other = new LoneNode(["a", "b"]);
    other.connect("b");
    other.beat("b", { view: "alive", viewIncarnation: 57 });
    expect(other.state.incarnation).toBe(58);
  });

  it("begin anew after a goodbye whose life could not be kept on disk", () => {
    const node = new LoneNode(["a", "b"], [{ key: "self", value: '{"incarnation":5}' }]);
    node.connect("b");
    node.beat("b", { view: "planned", viewIncarnation: 6 });
    expect(node.state.incarnation).toBe(7);
  });

  it("do not begin while it takes its leave", () => {
    const node = new LoneNode(["a", "b"]);
    node.connect("b");
    node.input({ type: "stop" });
    node.beat("b", { view: "planned", viewIncarnation: 1 });
    expect(node.state.incarnation).toBe(1);
  });
});

describe("a subject that died again before its return was heard here", () => {
  it("is told of a second time", () => {
    const node = new LoneNode(["a", "b", "s"]);
    for (const peer of ["b", "s"]) node.connect(peer);
    node.pass(1000, ["b", "s"]);
    const first = deathOf("s", 1);
    const { incident } = first as { incident: string };
    node.say("b", {
      t: "ledger",
      records: [first, { t: "resolved", incident, at: wallTime(START), by: "b", how: "returned" }],
    });
    node.pass(8000);
    expect(node.told().join()).toMatch(/s unreachable/);
    expect([...node.state.ledger.open.keys()]).toContain(incidentId(MESH, "down", "s", 2));
  });
});
