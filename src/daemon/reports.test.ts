import { describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import type { MeshView, NodeView } from "../core/view.ts";
import { meshView } from "../core/view-of.ts";
import { minutes, wallTime } from "../kit/time.ts";
import { healthReport, incidentsReport, statusReport } from "./reports.ts";

const START = wallTime(1_800_000_000_000);

/** A mesh of two whose channel is proven, with the other node and the rest as given. */
function report(other: Partial<NodeView>, rest: Partial<MeshView> = {}) {
  const node = new LoneNode(["a", "b"]);
  const view = meshView(node.state, node.env());
  const nodes = view.nodes.map((each) => (each.id === "b" ? { ...each, verdict: "alive", ...other } : each));
  const channels = view.channels.map((channel) => ({ ...channel, proven: true }));
  return statusReport({ ...view, channels, ...rest, nodes } as MeshView, "0", START);
}
const maintenance = { at: START, by: "anna@a", why: "" };

describe("status", () => {
  it("is degraded by a host that is away, unless a person has said that it may be", () => {
    expect(report({})).toMatchObject({ health: "ok", problems: [] });
    expect(report({ verdict: "missing" })).toMatchObject({ health: "degraded", problems: ["b is missing"] });
    expect(report({ verdict: "host-down", maintenance })).toMatchObject({ health: "ok", problems: [] });
    expect(report({ verdict: "unreachable", sometimes: true })).toMatchObject({ health: "ok" });
  });

  it("is not ok while no message has lately reached anyone, and less so while a host is away as well", () => {
    const channels = [
      { name: "inbox", type: "inbox", proven: false, deliveries: [] },
      { name: "phone", type: "ntfy", proven: false, deliveries: [] },
    ];
    const unproven = report({}, { channels });
    expect(unproven).toMatchObject({ health: "unproven" });
    expect(unproven.problems.join()).toContain("no channel has delivered");
    expect(report({ verdict: "host-down" }, { channels })).toMatchObject({ health: "degraded" });
    expect(report({}, { channels: channels.slice(0, 1) })).toMatchObject({ health: "unproven" });
  });

  it("says what is held back, and until when", () => {
    const { nodes, silences, quietUntil } = report(
      { maintenance, sometimes: true },
      { silences: [{ id: "x", matcher: {}, ...maintenance }], quietUntil: START },
    );
    expect({ silences, quietUntil }).toEqual({ silences: 1, quietUntil: "2027-01-15T08:00:00.000Z" });
    expect(nodes.map((each) => [each.maintenance?.until, each.expected])).toEqual([
      [undefined, "always"],
      [null, "sometimes"],
    ]);
  });

  it("is degraded by a heartbeat that nobody delivers", () => {
    const last = { node: "b", at: START, detail: "" };
    const silent = { name: "outside", every: minutes(1), silent: true };
    expect(report({}, { heartbeats: [{ ...silent, last }, silent] })).toMatchObject({
      health: "degraded",
      problems: [
        "heartbeat outside was not pinged for three times 60 s, last by b at 2027-01-15 08:00:00 UTC",
        "heartbeat outside was not pinged for three times 60 s",
      ],
    });
    expect(report({}, { heartbeats: [{ ...silent, silent: false }] })).toMatchObject({ health: "ok" });
  });
});

describe("health", () => {
  const node = new LoneNode(["a", "b", "c"]);
  const view = meshView(node.state, node.env());
  const at = (ago: number) => wallTime(START - ago);
  const healthOf = (rest: Partial<MeshView>, lastReading?: typeof START) => {
    const seen = { ...view, ...rest };
    return healthReport(seen, statusReport(seen, "1.2.3", START, ["no history"]), {
      startedAt: START,
      lastReading,
    });
  };

  it("is the status, with this node's own troubles", () => {
    expect(healthOf({})).toMatchObject({
      schema: 1,
      status: "degraded",
      problems: expect.arrayContaining(["no history"]),
      node: "a",
      version: "1.2.3",
      nodes: { total: 3, alive: 1 },
      startedAt: "2027-01-15T08:00:00.000Z",
    });
  });

  it("knows of no beat, reading or delivery before there was one", () => {
    expect(healthOf({})).toMatchObject({ lastBeatSeen: null, lastReading: null, lastDelivery: null });
  });

  it("tells of the last beat of another node, and of the last delivery to a person by any", () => {
    const heard = new Map([
      ["b", at(3000)],
      ["c", at(2000)],
    ]);
    const nodes = view.nodes.map((each) => {
      const lastHeard = heard.get(each.id);
      return lastHeard === undefined ? each : { ...each, lastHeard };
    });
    const delivery = (ago: number, outcome: "delivered" | "failed") => ({
      node: "b",
      at: at(ago),
      outcome,
      detail: "",
    });
    const channels = [
      { name: "inbox", type: "inbox", proven: false, deliveries: [delivery(1, "delivered")] },
      {
        name: "x",
        type: "ntfy",
        proven: true,
        deliveries: [delivery(5, "failed"), delivery(7000, "delivered")],
      },
      { name: "y", type: "smtp", proven: true, deliveries: [delivery(6000, "delivered")] },
    ];
    expect(healthOf({ nodes, channels }, at(9000))).toMatchObject({
      lastBeatSeen: "2027-01-15T07:59:58.000Z",
      lastReading: "2027-01-15T07:59:51.000Z",
      lastDelivery: "2027-01-15T07:59:54.000Z",
    });
  });
});

describe("incidents", () => {
  it("are held back only while something is owed", () => {
    const incident = { id: "i", since: START, note: false, evidence: [] } as never as Parameters<
      typeof incidentsReport
    >[0][number];
    const told = (state: "owed" | "delivered") => ({
      ...incident,
      told: [{ channel: "phone", phase: "open", state } as const],
    });
    const holds = new Map([["i", { why: "quiet hours", until: START }]]);
    const heldBack = (state: "owed" | "delivered") =>
      incidentsReport([told(state)], holds, START).incidents.map((each) => each.heldBack);
    expect(heldBack("owed")).toEqual([{ why: "quiet hours", until: "2027-01-15T08:00:00.000Z" }]);
    expect(heldBack("delivered")).toEqual([null]);
  });
});
