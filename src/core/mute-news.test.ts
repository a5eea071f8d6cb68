import { beforeEach, describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { minutes, type WallTime } from "../kit/time.ts";
import type { Notice } from "./io.ts";
import type { MuteRecord } from "./ledger-records.ts";

let node: LoneNode;
beforeEach(() => {
  node = new LoneNode(["a", "b", "c"]);
  node.connect("b");
  node.pass(1000, ["b"]);
});

const said = (of: LoneNode = node) =>
  of.effects
    .flatMap((effect) => (effect.type === "notice" && effect.notice.type === "mute" ? [effect.notice] : []))
    .map(({ purpose, phase, about, by }: Extract<Notice, { type: "mute" }>) =>
      [purpose, phase, about, by].join(" "),
    );
const later = (length: number): WallTime => (node.env().wall + length) as WallTime;
const wish = { matcher: {}, by: "anna@a", why: "new disk", ended: false } as const;
const maintenance = { mute: "maintenance-b", purpose: "maintenance", subject: "b", ...wish } as const;

describe("whoever watches hears of a mute", () => {
  it("when it is set, changed and lifted here, once each", () => {
    node.input({ type: "mute", request: maintenance });
    node.input({ type: "mute", request: { ...maintenance, until: later(minutes(5)) } });
    node.input({ type: "mute", request: { ...maintenance, ended: true, by: "otto@a" } });
    node.pass(1000, ["b"]);
    expect(said()).toEqual([
      "maintenance begun b anna@a",
      "maintenance changed b anna@a",
      "maintenance lifted b otto@a",
    ]);
  });

  it("when its time is over, without anyone's doing", () => {
    const until = later(minutes(5));
    node.input({ type: "mute", request: { ...maintenance, until } });
    node.pass(minutes(5) - 500, ["b"]);
    expect(said()).toHaveLength(1);
    node.pass(1000, ["b"]);
    expect(said()).toEqual(["maintenance begun b anna@a", "maintenance over b anna@a"]);
  });

  it("when another node was asked for it", () => {
    const matcher = { node: "c*", kind: "link-problem" } as const;
    const record: MuteRecord = {
      ...wish,
      t: "mute",
      mute: "5eed",
      purpose: "silence",
      matcher,
      revision: 1,
      at: node.env().wall,
    };
    node.say("b", { t: "ledger", records: [record] });
    node.say("b", { t: "ledger", records: [record, { ...record, revision: 2, ended: true, by: "otto@b" }] });
    expect(said()).toEqual([
      "silence begun node=c*,kind=link-problem anna@a",
      "silence lifted node=c*,kind=link-problem otto@b",
    ]);
  });

  it("but not of what held before this node started, until it ends", () => {
    node.input({ type: "mute", request: { ...maintenance, until: later(minutes(1)) } });
    const stored = [...node.disk].map(([key, value]) => ({ key, value }));
    const again = new LoneNode(["a", "b", "c"], stored);
    again.now = node.now;
    again.pass(1000);
    expect(said(again)).toEqual([]);
    again.pass(minutes(1));
    expect(said(again)).toEqual(["maintenance over b anna@a"]);
  });
});
