import { beforeEach, describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { minutes, seconds, type WallTime } from "../kit/time.ts";
import { openIncident } from "./incidents.ts";
import { DEFAULT_POLICY, type Policy } from "./types.ts";
import { incidentViews, meshView } from "./view-of.ts";
import { holdViews } from "./view-of-mutes.ts";

let node: LoneNode;
beforeEach(() => {
  node = new LoneNode(["a", "b", "c"]);
});
const view = () => meshView(node.state, node.env());
const configure = (policy: Partial<Policy>): void =>
  node.input({
    type: "configured",
    channels: [],
    heartbeats: [{ name: "outside", every: seconds(60) }],
    policy: { ...DEFAULT_POLICY, ...policy },
  });
const later = (length: number): WallTime => (node.env().wall + length) as WallTime;

describe("a heartbeat", () => {
  const beats = () => view().heartbeats[0];

  it("is silent when none was delivered for three periods, counted from this node's start at the earliest", () => {
    configure({});
    expect(beats()).toEqual({ name: "outside", every: 60_000, silent: false });
    node.now += 180_000;
    expect(beats()).toMatchObject({ silent: false });
    node.now += 1;
    expect(beats()).toMatchObject({ silent: true });
  });

  it("beats again with a delivered ping, and says by whom", () => {
    configure({});
    node.now += minutes(10);
    node.input({ type: "wake" });
    node.input({ type: "pinged", heartbeat: "outside", result: { outcome: "delivered", detail: "200" } });
    expect(beats()).toMatchObject({ silent: false, last: { node: "a", at: node.env().wall, detail: "200" } });
  });
});

describe("what people do not want to be told", () => {
  const mute = { matcher: {}, by: "anna@a", why: "new disk", ended: false } as const;

  it("is seen at the node in maintenance, until it ends", () => {
    const until = later(minutes(5));
    node.input({
      type: "mute",
      request: { mute: "maintenance-b", purpose: "maintenance", subject: "b", until, ...mute },
    });
    const seen = () => view().nodes.map(({ maintenance }) => maintenance);
    expect(seen()).toEqual([
      undefined,
      { at: node.env().wall, until, by: "anna@a", why: "new disk" },
      undefined,
    ]);
    expect(view().silences).toEqual([]);
    node.now += minutes(5);
    expect(seen()).toEqual([undefined, undefined, undefined]);
  });

  it("is listed as silences, the oldest first", () => {
    for (const id of ["second", "first"]) {
      node.now += id === "first" ? -1000 : 0;
      node.input({ type: "mute", request: { mute: id, purpose: "silence", ...mute } });
    }
    node.now += 1000;
    expect(view().silences.map(({ id }) => id)).toEqual(["first", "second"]);
  });

  it("is said of members that come and go, and of the time of day", () => {
    const hour = new Date(node.env().wall).getUTCHours();
    const quietHours = {
      from: hour * 60,
      to: ((hour + 1) % 24) * 60,
      timeZone: "UTC",
      severity: "info",
    } as const;
    configure({ sometimes: ["b"], quietHours });
    expect(view().nodes.map(({ sometimes }) => sometimes)).toEqual([false, true, false]);
    expect((view().quietUntil ?? 0) % 3_600_000).toBe(0);
    configure({});
    expect(view().quietUntil).toBeUndefined();
  });
});

describe("incidents", () => {
  it("name the other end of a link, tell notes from what is open, and say what holds messages back", () => {
    const turn = { state: node.state, env: node.env(), effects: [], news: [] };
    const about = { subject: "b", name: "b", incarnation: 1, since: node.env().wall } as const;
    openIncident(turn, { ...about, kind: "link-problem", verdict: "link-problem", topic: "c" });
    openIncident(turn, {
      ...about,
      kind: "restarted",
      verdict: "alive",
      topic: "a boot id",
      until: later(5),
    });
    const views = incidentViews(node.state);
    const link = views.find(({ kind }) => kind === "link-problem");
    const note = views.find(({ kind }) => kind === "restarted");
    expect(link).toMatchObject({ note: false, severity: "warning", topic: "c" });
    expect(note).toMatchObject({ note: true, resolved: later(5) });
    expect(note).not.toHaveProperty("topic");
    expect(holdViews(node.state, node.env().wall).size).toBe(0);
    node.input({
      type: "mute",
      request: {
        mute: "x",
        purpose: "silence",
        matcher: { kind: "link-problem" },
        by: "anna@a",
        why: "cabling",
        ended: false,
      },
    });
    expect([...holdViews(node.state, node.env().wall)]).toEqual([
      [link?.id, { why: "silenced by anna@a: cabling" }],
    ]);
  });
});
