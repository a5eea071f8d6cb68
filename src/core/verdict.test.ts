import { describe, expect, it } from "vitest";
import { after, type Duration, instant, ms } from "../kit/time.ts";
import type { Inquiry, Testimony } from "./peer.ts";
import type { ProbeOutcome } from "./types.ts";
import { decide, type Facts, probeGrace } from "./verdict.ts";

const START = instant(10_000);

const silent: Testimony = {
  state: "silent",
  at: START,
  heardAt: instant(9_300),
  path: "datagram",
  probe: "silent",
};
const cannotSay: Testimony = { state: "unknown", at: START, heardAt: undefined, path: "none", probe: "none" };
const hearingAt = (at: number): Testimony => ({
  state: "hearing",
  at: START,
  heardAt: instant(at),
  path: "datagram",
  probe: "none",
});

interface Case {
  readonly afterMs: number;
  readonly testimonies?: Record<string, Testimony>;
  readonly probes?: ProbeOutcome[];
  readonly observers?: number;
  readonly living?: string[];
  readonly alive?: number;
  readonly members?: number;
  readonly lossy?: boolean;
  readonly probesOnly?: boolean;
  readonly uplink?: Facts["uplink"];
}

function decided(given: Case) {
  const inquiry: Inquiry = {
    since: START,
    cause: "silence",
    testimonies: new Map(Object.entries(given.testimonies ?? {})),
    probes: new Map((given.probes ?? []).map((outcome, index) => [`10.0.0.${index}:7654`, outcome])),
    nextAskAt: START,
    asked: new Map(),
    kernelAt: undefined,
    nextProbeAt: START,
    decideAt: undefined,
  };
  return decide({
    now: after(START, ms(given.afterMs)),
    inquiry,
    heardAt: instant(9_400),
    observers: given.observers ?? 2,
    living: given.living ?? [],
    alive: given.alive ?? 2,
    members: given.members ?? 3,
    lossy: given.lossy ?? false,
    probesOnly: given.probesOnly ?? false,
    longestSilence: ms(1200),
    period: ms(200),
    rtt: ms(1),
    uplink:
      "uplink" in given ? given.uplink : { askedAt: START, seen: { up: true, detail: "eth0: carrier" } },
  });
}

describe("from a doubt to a verdict", () => {
  it("says host-down when all observers of three nodes hear nothing", () => {
    const decision = decided({ afterMs: 150, testimonies: { c: silent }, living: ["c"] });
    expect(decision).toMatchObject({ kind: "down", verdict: "host-down" });
  });

  it("waits for a living observer that has yet to answer, 300 ms at most where enough have spoken", () => {
    const given = {
      testimonies: { b: silent, c: silent },
      living: ["b", "c", "d"],
      observers: 4,
      alive: 4,
      members: 5,
    };
    expect(decided({ afterMs: 299, ...given })).toEqual({ kind: "wait", until: 10_300 });
    expect(decided({ afterMs: 300, ...given })).toMatchObject({ kind: "down", verdict: "host-down" });
  });

  it("waits longer before it speaks for too few: a starved observer answers late", () => {
    expect(decided({ afterMs: 300, living: ["c"] })).toEqual({ kind: "wait", until: 11_000 });
    expect(decided({ afterMs: 1000, living: ["c"] })).toMatchObject({ kind: "down", verdict: "unreachable" });
  });

  it("gives a lossy path a second, unless three observers hear nothing and were not answered", () => {
    const two = { lossy: true, testimonies: { c: silent }, living: ["c"] };
    expect(decided({ afterMs: 999, ...two })).toEqual({ kind: "wait", until: 11_000 });
    expect(decided({ afterMs: 1000, ...two })).toMatchObject({ kind: "down", verdict: "host-down" });
    const four = { lossy: true, observers: 3, alive: 3, members: 4, probes: ["silent" as const] };
    const three = { ...four, testimonies: { b: silent, c: silent } };
    expect(decided({ afterMs: 410, ...three })).toMatchObject({ kind: "down", verdict: "host-down" });
    // One has just begun to doubt: its attempt to connect may still be answered.
    const early = { ...four, testimonies: { b: silent, c: { ...silent, probe: "none" as const } } };
    expect(decided({ afterMs: 410, ...early })).toEqual({ kind: "wait", until: 11_000 });
  });

  it("takes no silence of an observer for consent", () => {
    // Five nodes: this one and one other hear nothing, two living ones never answered.
    const decision = decided({
      afterMs: 1000,
      testimonies: { c: silent },
      living: ["c", "d", "e"],
      observers: 4,
      alive: 4,
      members: 5,
    });
    expect(decision).toMatchObject({ kind: "down", verdict: "unreachable" });
  });

  it("does not count those who cannot say", () => {
    const decision = decided({ afterMs: 400, testimonies: { c: cannotSay }, living: ["c"] });
    expect(decision).toMatchObject({ kind: "down", verdict: "unreachable" });
  });

  it.each([
    [
      "a minority side of five",
      { testimonies: { e: silent }, observers: 4, alive: 2, members: 5 },
      "unreachable",
    ],
    [
      "a majority side of five",
      { testimonies: { b: silent, c: silent }, observers: 4, alive: 3, members: 5 },
      "host-down",
    ],
    [
      "half of ten left",
      { testimonies: { b: silent, c: silent, d: silent, e: silent }, observers: 9, alive: 5, members: 10 },
      "unreachable",
    ],
    [
      "most of the observers, not of the roster",
      { testimonies: { b: silent }, observers: 3, alive: 2, members: 4 },
      "unreachable",
    ],
  ])("needs more than half on both counts: %s", (_name, given, verdict) => {
    expect(decided({ afterMs: 400, ...given })).toMatchObject({ kind: "down", verdict });
  });

  it("is a link problem when another observer heard it after the doubt began", () => {
    const decision = decided({ afterMs: 50, testimonies: { c: hearingAt(10_020) }, living: ["c"] });
    expect(decision).toEqual({ kind: "link-problem", hearers: ["c"] });
  });

  it("waits on an observer that still counts it as alive by an older beat", () => {
    const decision = decided({ afterMs: 500, testimonies: { c: hearingAt(9_900) }, living: ["c"] });
    expect(decision.kind).toBe("wait");
  });

  it("does not wait on such an observer once that one is not alive itself", () => {
    const decision = decided({ afterMs: 500, testimonies: { c: hearingAt(9_900) }, living: [] });
    expect(decision.kind).toBe("down");
  });

  it("takes the word of another observer that the kernel answered it", () => {
    const answeredC = (probe: ProbeOutcome, at = 10_000) => ({
      testimonies: { b: silent, c: { ...silent, probe, at: instant(at) } },
      observers: 3,
      alive: 3,
      members: 4,
    });
    expect(decided({ afterMs: 500, ...answeredC("accepted") })).toEqual({ kind: "wait", until: 14_400 });
    expect(decided({ afterMs: 100, ...answeredC("refused") })).toMatchObject({ verdict: "daemon-down" });
    // It may have died since: what is older than 600 ms proves nothing any more.
    expect(decided({ afterMs: 600, ...answeredC("accepted") })).toMatchObject({ verdict: "host-down" });
    const hung = answeredC("accepted", 14_300);
    expect(decided({ afterMs: 4400, ...hung })).toMatchObject({ verdict: "daemon-down" });
  });

  it("gives a host whose daemon was down before a second, whoever hears nothing", () => {
    const given = { testimonies: { b: silent, c: silent }, observers: 3, alive: 3, members: 4 };
    expect(decided({ afterMs: 999, probesOnly: true, ...given })).toEqual({ kind: "wait", until: 11_000 });
    expect(decided({ afterMs: 1000, probesOnly: true, ...given })).toMatchObject({ verdict: "host-down" });
    const seen = { probesOnly: true, probes: ["accepted" as const], ...given };
    expect(decided({ afterMs: 1000, ...seen })).toEqual({ kind: "wait", until: 14_400 });
  });

  it("gives the probe its time before it says host-down", () => {
    expect(decided({ afterMs: 30, testimonies: { c: silent } })).toEqual({ kind: "wait", until: 10_044 });
  });

  it("says daemon-down at once when the host refuses the connection", () => {
    const decision = decided({ afterMs: 5, testimonies: { c: silent }, probes: ["refused"], living: ["c"] });
    expect(decision).toMatchObject({ kind: "down", verdict: "daemon-down" });
  });

  it("gives a host that accepts but is mute five seconds from its last word", () => {
    const given = { testimonies: { c: silent }, probes: ["accepted" as const] };
    expect(decided({ afterMs: 1000, ...given })).toEqual({ kind: "wait", until: 14_400 });
    expect(decided({ afterMs: 4400, ...given })).toMatchObject({ kind: "down", verdict: "daemon-down" });
  });

  it("counts those five seconds from the last word that anyone heard", () => {
    const lately = { ...silent, heardAt: instant(9_900) };
    const given = { testimonies: { c: lately }, probes: ["accepted" as const] };
    expect(decided({ afterMs: 4400, ...given })).toEqual({ kind: "wait", until: 14_900 });
    expect(decided({ afterMs: 4900, ...given })).toMatchObject({ verdict: "daemon-down" });
  });

  it("asks for its own uplink before it calls others unreachable", () => {
    expect(decided({ afterMs: 400, alive: 1, uplink: undefined })).toEqual({ kind: "ask-uplink" });
    const asked = { askedAt: instant(10_400), seen: undefined };
    expect(decided({ afterMs: 420, alive: 1, uplink: asked })).toEqual({ kind: "wait", until: 12_400 });
    expect(decided({ afterMs: 2_500, alive: 1, uplink: asked })).toMatchObject({ verdict: "unreachable" });
  });

  it("waits for a beat once its uplink is seen to work: its own cable may have been put back just now", () => {
    const seen = { up: true, detail: "eth0: carrier" };
    const uplink = { askedAt: instant(10_400), seen };
    expect(decided({ afterMs: 410, alive: 1, uplink })).toEqual({ kind: "wait", until: 10_700 });
    expect(decided({ afterMs: 700, alive: 1, uplink })).toMatchObject({ verdict: "unreachable" });
  });

  it("claims nothing when too few agree and it has no uplink, even if it has not missed all others yet", () => {
    const seen = { up: false, detail: "eth0: no carrier" };
    const decision = decided({ afterMs: 420, alive: 2, uplink: { askedAt: START, seen } });
    expect(decision).toEqual({ kind: "isolated", detail: "eth0: no carrier" });
  });

  it("bounds the probe's time on slow paths", () => {
    expect(probeGrace(undefined)).toBe(40);
    expect(probeGrace(ms(10))).toBe(80);
    expect(probeGrace(5000 as Duration)).toBe(300);
  });
});
