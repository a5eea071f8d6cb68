import { describe, expect, it } from "vitest";
import { LoneNode, START } from "../../test/contract/lone-node.ts";
import { incidentOf, resolutionOf } from "../../test/contract/sample-incidents.ts";
import { minutes, wallTime } from "../kit/time.ts";
import type { IncidentRecord, LedgerRecord } from "./ledger-records.ts";
import { TURN_EVERY } from "./limits.ts";
import { rank } from "./turns.ts";
import { DEFAULT_POLICY } from "./types.ts";

const others = ["b", "c", "d"];

/** Node a hears b, c and d, which have the same channel; about s, t and u it knows only what they say. */
function node(hears: readonly string[] = others): LoneNode {
  const made = new LoneNode(["a", ...others, "s", "t", "u"], [], {
    policy: { ...DEFAULT_POLICY, missingAfter: minutes(600), clockGrace: minutes(0) },
  });
  for (const peer of hears) made.connect(peer);
  made.pass(4000, hears, { channels: ["phone"] });
  return made;
}

const say = (told: LoneNode, ...records: LedgerRecord[]): void => told.say("b", { t: "ledger", records });

/** Proof that b, which thereby is the first in line, has told of it. */
const receiptOf = ({ incident }: IncidentRecord, at: number): LedgerRecord => ({
  t: "delivery",
  message: `of ${incident}`,
  incidents: [incident],
  phase: "open",
  channel: "phone",
  node: "b",
  at: wallTime(START + at),
  outcome: "delivered",
  attempt: 1,
  detail: "ok",
});

describe("a wait for more deaths that is over early", () => {
  it("leaves the first in line its turn: turns count from there, not from when the death was seen", () => {
    const second = node();
    const [before, next] = [incidentOf("down", "s"), incidentOf("down", "t")];
    say(second, before, receiptOf(before, second.now));
    say(second, next);
    second.pass(2000, others, { channels: ["phone"] });
    expect(second.told()).toEqual([]);

    say(second, resolutionOf(before, second.now));
    second.pass(TURN_EVERY - 100, others, { channels: ["phone"] });
    expect(second.told()).not.toContain("t is down");
    second.pass(others.length * TURN_EVERY, others, { channels: ["phone"] });
    expect(second.told()).toContain("t is down");
  });
});

describe("what comes and goes", () => {
  it("is told together with what began to a moment later, in one message", () => {
    const alone = node([]);
    alone.connect("b");
    alone.pass(100, ["b"]);
    say(alone, incidentOf("flapping", "s", { topic: "down" }));
    alone.pass(50, ["b"]);
    say(alone, incidentOf("flapping", "t", { topic: "down" }));
    alone.pass(20_000, ["b"]);
    expect(alone.told()).toEqual(["s and t come and go"]);
  });

  it("waits longer for other links", () => {
    const alone = node([]);
    alone.connect("b");
    alone.pass(100, ["b"]);
    say(alone, incidentOf("flapping", "s", { topic: "link-problem t" }));
    alone.pass(2000, ["b"]);
    say(alone, incidentOf("flapping", "t", { topic: "link-problem s" }));
    alone.pass(20_000, ["b"]);
    expect(alone.told()).toEqual(["s and t come and go"]);
  });
});

describe("the line of those who may send", () => {
  const anchors = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
  const lines = (of: LoneNode): string[][] =>
    anchors.map((anchor) => rank(of.state, anchor, "phone", START + of.now));

  it("is drawn anew for each incident", () => {
    expect(new Set(lines(node()).map(([first]) => first)).size).toBeGreaterThan(1);
  });

  it.each(["down", "clock", "flapping", "certificate"] as const)(
    "is the same whatever part of what goes on a node has heard of: %s",
    (kind) => {
      /** After how long a tells of these, with nobody before it doing so. */
      const delay = (...subjects: readonly string[]): number => {
        const told = node();
        const began = told.now;
        say(told, ...subjects.map((subject) => incidentOf(kind, subject, { topic: "down" })));
        while (told.told().length === 0 && told.now < began + 20_000)
          told.pass(50, others, { channels: ["phone"] });
        return told.now - began;
      };
      const delays = [["s"], ["t"], ["u"], ["s", "t"], ["s", "t", "u"]].map((subjects) => delay(...subjects));
      expect(new Set(delays).size).toBe(1);
    },
  );

  it.each([
    ["is broken", incidentOf("link-problem", "b", { topic: "c" })],
    ["breaks again and again", incidentOf("flapping", "b", { topic: "link-problem c" })],
  ])("ends with those whose link %s: at its head each would take itself for the first", (_, broken) => {
    const told = node();
    say(told, broken);
    for (const line of lines(told)) expect(line.slice(-2).sort()).toEqual(["b", "c"]);
  });

  it.each([
    ["still counts one that was mended just now: its ends would not agree on which they know of", 1000, true],
    ["counts it no longer once all know", 6000, false],
  ])("%s", (_, later, atTheEnd) => {
    const [told, well] = [node(), node()];
    const broken = incidentOf("link-problem", "b", { topic: "c" });
    say(told, broken, resolutionOf(broken, told.now));
    for (const each of [told, well]) each.pass(later, others, { channels: ["phone"] });
    if (atTheEnd) for (const line of lines(told)) expect(line.slice(-2).sort()).toEqual(["b", "c"]);
    else expect(lines(told)).toEqual(lines(well));
  });

  it("does not mind a lost address of a host that is heard by another", () => {
    const [told, well] = [node(), node()];
    say(told, incidentOf("link-problem", "b", { topic: "path 127.0.0.1:7098" }));
    expect(lines(told)).toEqual(lines(well));
  });
});
