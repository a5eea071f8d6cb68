import { describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { minutes } from "../kit/time.ts";
import type { FarewellReason } from "./messages.ts";
import { DEFAULT_POLICY } from "./types.ts";

const MEMBERS = ["a", "b", "c"];

function node(plannedNotes: boolean): LoneNode {
  const made = new LoneNode(MEMBERS, [], { policy: { ...DEFAULT_POLICY, plannedNotes } });
  for (const peer of ["b", "c"]) made.connect(peer);
  made.pass(1000, ["b", "c"]);
  return made;
}

const goodbye = (told: LoneNode, peer: string, why?: FarewellReason): void => {
  const said = why === undefined ? {} : { why };
  told.say(peer, { t: "goodbye", incarnation: 1, reason: "stop", ...said });
};
const maintain = (told: LoneNode, ended = false): void =>
  told.input({
    type: "mute",
    request: {
      mute: "maintenance-b",
      purpose: "maintenance",
      subject: "b",
      matcher: {},
      by: "anna@a",
      why: "new disk",
      ended,
    },
  });
const texts = (told: LoneNode): string =>
  told.effects
    .flatMap((effect) =>
      effect.type === "deliver" && effect.channel === "phone" ? [effect.notification.text] : [],
    )
    .join("\n");

describe("what is stopped on purpose", () => {
  it("is nobody's business, unless people want to know", () => {
    const silent = node(false);
    goodbye(silent, "b", "shutdown");
    maintain(silent);
    silent.pass(minutes(1), ["c"]);
    expect(silent.told()).toEqual([]);
  });

  it("is told in one note, with what each was stopped for", () => {
    const told = node(true);
    goodbye(told, "b", "reboot");
    goodbye(told, "c");
    told.pass(minutes(1));
    expect(told.told()).toEqual(["b was rebooted, c was stopped on purpose"]);
    expect(texts(told)).toContain("c: it was stopped on purpose.");
    expect(told.incidents("planned")).toHaveLength(2);
  });

  it("is told once, and its return not at all", () => {
    const told = node(true);
    goodbye(told, "b", "shutdown");
    goodbye(told, "b", "shutdown");
    told.pass(minutes(1), ["c"]);
    told.connect("b");
    told.beat("b", { incarnation: 2 });
    told.pass(minutes(1), ["b", "c"], { incarnation: 2 });
    expect(told.told()).toEqual(["b was shut down on purpose"]);
  });
});

describe("a maintenance", () => {
  it("is told when it begins and when it is ended, and what is stopped meanwhile is not", () => {
    const told = node(true);
    maintain(told);
    told.pass(10_000, ["b", "c"]);
    expect(texts(told)).toContain("b: it is in maintenance until someone ends it, by anna@a: new disk.");
    goodbye(told, "b", "shutdown");
    told.pass(10_000, ["c"]);
    told.connect("b");
    told.beat("b", { incarnation: 2 });
    maintain(told, true);
    told.pass(10_000, ["b", "c"], { incarnation: 2 });
    expect(told.told()).toEqual(["b is in maintenance", "b is no longer in maintenance"]);
  });
});
