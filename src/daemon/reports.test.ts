import { describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import type { MeshView, NodeView } from "../core/view.ts";
import { meshView } from "../core/view-of.ts";
import { minutes, wallTime } from "../kit/time.ts";
import { incidentsReport, statusReport } from "./reports.ts";

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
      incidentsReport([told(state)], holds).incidents.map((each) => each.heldBack);
    expect(heldBack("owed")).toEqual([{ why: "quiet hours", until: "2027-01-15T08:00:00.000Z" }]);
    expect(heldBack("delivered")).toEqual([null]);
  });
});
