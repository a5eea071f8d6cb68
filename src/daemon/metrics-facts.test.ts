import { expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { openIncident } from "../core/incidents.ts";
import { beatCounts, openIncidents, ownCost } from "./metrics-facts.ts";

const about = { subject: "b", name: "b", incarnation: 1 } as const;

it("open incidents are counted by kind and severity; kinds of which none is open have their zero", () => {
  const node = new LoneNode(["a", "b"]);
  const turn = { state: node.state, env: node.env(), effects: [], news: [] };
  const since = node.env().wall;
  openIncident(turn, { ...about, kind: "link-problem", verdict: "link-problem", topic: "a", since });
  openIncident(turn, { ...about, kind: "link-problem", verdict: "link-problem", topic: "c", since });
  openIncident(turn, { ...about, kind: "restarted", verdict: "alive", topic: "x", since, until: since });
  const counted = openIncidents(node.state);
  expect(counted).toContainEqual({ kind: "link-problem", severity: "warning", open: 2 });
  expect(counted).toContainEqual({ kind: "down", severity: "critical", open: 0 });
  expect(counted).toContainEqual({ kind: "heat", severity: "critical", open: 0 });
  expect(counted.map(({ kind }) => kind)).not.toContain("restarted");
});

it("beats are counted by peer, and once where one came twice", () => {
  const node = new LoneNode(["a", "b", "c"]);
  node.connect("b");
  node.beat("b");
  node.beat("b");
  node.beat("b", { seq: 2 });
  const [b, c] = beatCounts(node.state);
  expect(b).toMatchObject({ node: "b", received: 2 });
  expect(b?.sent).toBeGreaterThan(0);
  expect(c).toEqual({ node: "c", received: 0, sent: 0 });
});

it("the process knows what it costs", () => {
  const cost = ownCost(new LoneNode(["a"]).env().wall);
  expect(cost.cpuSeconds).toBeGreaterThan(0);
  expect(cost.residentBytes).toBeGreaterThan(1e7);
  expect(cost.openFiles).toBeGreaterThan(3);
});
