import { expect, test } from "vitest";
import type { MeshView, MuteView } from "../core/view.ts";
import { type Duration, days, minutes, type WallTime, wallTime } from "../kit/time.ts";
import { heartbeatFindings, muteFindings, nodePolicyFindings } from "./doctor-wishes.ts";

const NOW = wallTime(1_800_000_000_000);
const ago = (length: Duration): WallTime => (NOW - length) as WallTime;
const view = (parts: Partial<MeshView>): MeshView =>
  ({ nodes: [{ name: "pve1" }, { name: "pve2" }], silences: [], heartbeats: [], ...parts }) as MeshView;
const mute = (age: Duration, until?: WallTime): MuteView => ({
  at: ago(age),
  by: "anna@pve1",
  why: "",
  ...(until === undefined ? {} : { until }),
});

test("a heartbeat that beats is sound, a silent one is not, and none at all is said without alarm", () => {
  const last = { node: "pve2", at: ago(minutes(4)), detail: "200" };
  const heartbeats = [
    { name: "up", every: minutes(5), silent: false, last },
    { name: "late", every: minutes(1), silent: true, last },
    { name: "never", every: minutes(1), silent: true },
  ];
  expect(heartbeatFindings(view({ heartbeats }), NOW)).toMatchObject([
    { check: "heartbeat up", level: "ok", finding: "was last pinged 4 min ago by pve2" },
    { check: "heartbeat late", level: "warning", remedy: "Run: balefire notify test late" },
    { check: "heartbeat never", level: "warning", finding: "was never pinged" },
  ]);
  expect(heartbeatFindings(view({}), NOW)).toMatchObject([{ check: "heartbeats", level: "ok" }]);
});

test("a policy for a host that is no member is named, with the one that may be meant", () => {
  expect(nodePolicyFindings(view({}), ["pve1", "pve3", "laptop"])).toEqual([
    {
      check: "policy.nodes",
      level: "warning",
      finding: "no member of this mesh is named pve3",
      remedy: "Did you mean pve1? There are: pve1, pve2.",
    },
    {
      check: "policy.nodes",
      level: "warning",
      finding: "no member of this mesh is named laptop",
      remedy: "There are: pve1, pve2.",
    },
  ]);
});

test("a mute without an end is worth a thought after a week; one with an end never is", () => {
  const nodes = [
    { name: "pve1", maintenance: mute(days(8)) },
    { name: "pve2", maintenance: mute(days(8), NOW) },
    { name: "pve3", maintenance: mute(days(6)) },
  ] as unknown as MeshView["nodes"];
  const silences = [{ id: "0a1b2c3d", matcher: {}, ...mute(days(9)) }];
  expect(muteFindings(view({ nodes, silences }), NOW)).toMatchObject([
    {
      check: "maintenance of pve1",
      level: "warning",
      remedy: expect.stringContaining("maintenance off pve1"),
    },
    {
      check: "silence 0a1b2c3d",
      finding: expect.stringContaining("9 d already, without an end (by anna@pve1)"),
      remedy: expect.stringContaining("silence remove 0a1b2c3d"),
    },
  ]);
});
