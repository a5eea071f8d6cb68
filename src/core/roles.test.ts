import { describe, expect, it } from "vitest";
import { LoneNode, MESH, START } from "../../test/contract/lone-node.ts";
import { wallTime } from "../kit/time.ts";
import { incidentId } from "./incident-id.ts";
import type { Effect } from "./io.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import { QUIET_BEAT_EVERY, SESSIONS_WITH_ALL_MAX } from "./limits.ts";
import type { Beat, PeerMessage } from "./messages.ts";
import { arrange, neighboursOf } from "./topology.ts";
import type { NodeId, Verdict } from "./types.ts";

const SELF = "n0";
const idsOf = (size: number): NodeId[] => Array.from({ length: size }, (_, index) => `n${index}`);
const everyone = (): boolean => true;
const neighbours = (ids: readonly NodeId[], node: NodeId): NodeId[] => [
  ...neighboursOf(arrange(MESH, ids), node, everyone),
];

interface Scene {
  readonly node: LoneNode;
  readonly watched: readonly NodeId[];
  readonly others: readonly NodeId[];
}

/** A node that has heard everyone it has a session with. */
function acquainted(size: number): Scene {
  const ids = idsOf(size);
  const node = new LoneNode(ids);
  const watched = neighbours(ids, SELF);
  const others = ids.filter((id) => id !== SELF && !watched.includes(id));
  for (const peer of [...watched, ...others]) node.connect(peer);
  for (const peer of watched) node.beat(peer);
  for (const peer of others) node.beat(peer, { quiet: true });
  return { node, watched, others };
}

const first = (ids: readonly NodeId[]): NodeId => ids[0] ?? "";

function sent(effects: readonly Effect[], to: NodeId): PeerMessage[] {
  return effects.flatMap((effect) =>
    effect.type === "send" && effect.to === to ? [effect.envelope.message] : [],
  );
}

const beatsTo = (node: LoneNode, to: NodeId): Beat[] =>
  sent(node.effects, to).flatMap((message) => (message.t === "beat" ? [message] : []));

const verdictOn = (node: LoneNode, peer: NodeId): string => {
  const condition = node.state.peers.get(peer)?.condition;
  return condition?.kind === "down" ? condition.verdict : (condition?.kind ?? "");
};

const death = (subject: NodeId, verdict: Verdict, by: NodeId): LedgerRecord => ({
  t: "incident",
  incident: incidentId(MESH, "down", subject, 1),
  kind: "down",
  subject,
  name: subject,
  incarnation: 1,
  verdict,
  since: wallTime(START),
  by,
});

describe("in a mesh of twenty, a node", () => {
  it("beats at its pace to its ten neighbours, and to the others rarely", () => {
    const { node, watched, others } = acquainted(20);
    node.effects.length = 0;
    node.pass(QUIET_BEAT_EVERY, watched);
    for (const peer of watched) expect(beatsTo(node, peer).length).toBeGreaterThan(140);
    for (const peer of watched) expect(beatsTo(node, peer).at(-1)?.quiet).toBeUndefined();
    for (const peer of others) {
      expect(beatsTo(node, peer).length).toBeGreaterThanOrEqual(1);
      expect(beatsTo(node, peer).length).toBeLessThanOrEqual(3);
      expect(beatsTo(node, peer).at(-1)?.quiet).toBe(true);
    }
  });

  it("doubts nobody it does not watch for being silent", () => {
    const { node, watched, others } = acquainted(20);
    node.pass(QUIET_BEAT_EVERY, watched);
    for (const peer of others) expect(verdictOn(node, peer)).toBe("alive");
  });

  it("asks the other observers of a silent neighbour, and nobody else", () => {
    const { node, watched } = acquainted(20);
    const victim = first(watched);
    node.pass(1000, watched);
    node.effects.length = 0;
    for (let ms = 0; ms < 1000 && verdictOn(node, victim) !== "suspect"; ms += 50)
      node.pass(50, watched.slice(1));
    const observers = neighbours(idsOf(20), victim).filter((id) => id !== SELF);
    const asked = idsOf(20).filter((id) => sent(node.effects, id).some(({ t }) => t === "ask"));
    expect(asked.filter((id) => id !== victim).sort()).toEqual(observers.sort());
  });

  it("beats at its pace to one that watches it, whoever it watches itself", () => {
    const { node, watched, others } = acquainted(20);
    const observer = first(others);
    node.beat(observer);
    node.effects.length = 0;
    node.pass(2000, watched);
    expect(beatsTo(node, observer).length).toBeGreaterThanOrEqual(9);
    node.beat(observer, { quiet: true });
    node.effects.length = 0;
    node.pass(2000, watched);
    expect(beatsTo(node, observer).length).toBeLessThanOrEqual(1);
  });

  it("walks on from a neighbour that died to the next ones, and back when it returns", () => {
    const { node, watched } = acquainted(20);
    const without = (gone: NodeId): NodeId[] =>
      [...neighboursOf(arrange(MESH, idsOf(20)), SELF, (id) => id !== gone)].filter(
        (id) => !watched.includes(id),
      );
    const victim = watched.find((id) => without(id).length > 0) ?? "";
    const next = without(victim);
    expect(next.length).toBeGreaterThan(0);
    const living = [...watched.filter((id) => id !== victim), ...next];
    node.pass(1000, watched);
    node.pass(3000, living);
    expect(verdictOn(node, victim)).toBe("unreachable");
    for (const peer of next) expect(node.state.peers.get(peer)?.watchedSince).toBeDefined();
    for (const peer of next) expect(beatsTo(node, peer).at(-1)?.quiet).toBeUndefined();
    node.pass(1000, [victim, ...living], { incarnation: 2 });
    for (const peer of next) expect(node.state.peers.get(peer)?.watchedSince).toBeUndefined();
    for (const peer of next) expect(beatsTo(node, peer).at(-1)?.quiet).toBe(true);
  });

  it("believes what the observers of another have concluded, and that it is back", () => {
    const { node, watched, others } = acquainted(20);
    const victim = first(others);
    const record = death(victim, "host-down", "n9");
    node.say(first(watched), { t: "ledger", records: [record] });
    expect(verdictOn(node, victim)).toBe("host-down");
    const incident = incidentId(MESH, "down", victim, 1);
    const over = { t: "resolved", incident, at: wallTime(START), by: "n9", how: "returned" } as const;
    node.say(first(watched), { t: "ledger", records: [over] });
    expect(verdictOn(node, victim)).toBe("alive");
  });

  it("believes them again where a late word of it was the last one", () => {
    const { node, watched, others } = acquainted(20);
    const victim = first(others);
    node.say(first(watched), { t: "ledger", records: [death(victim, "daemon-down", "n9")] });
    node.beat(victim, { quiet: true });
    expect(verdictOn(node, victim)).toBe("alive");
    node.pass(4000, watched);
    expect(verdictOn(node, victim)).toBe("alive");
    node.pass(1500, watched);
    expect(verdictOn(node, victim)).toBe("daemon-down");
  });

  it("replaces the session with one that is said to be back and is not heard", () => {
    const { node, watched, others } = acquainted(20);
    const victim = first(others);
    node.pass(1000, watched);
    node.say(first(watched), { t: "ledger", records: [death(victim, "host-down", "n9")] });
    node.pass(5000, watched);
    const incident = incidentId(MESH, "down", victim, 1);
    const over = { t: "resolved", incident, at: wallTime(START), by: "n9", how: "returned" } as const;
    node.say(first(watched), { t: "ledger", records: [over] });
    node.effects.length = 0;
    node.pass(5000, watched);
    expect(node.effects.some((effect) => effect.type === "dial" && effect.peer === victim)).toBe(true);
  });

  it("looks itself where too few were left to be sure", () => {
    const { node, watched, others } = acquainted(20);
    const victim = first(others);
    node.pass(1000, watched);
    node.effects.length = 0;
    node.say(first(watched), { t: "ledger", records: [death(victim, "unreachable", first(watched))] });
    expect(verdictOn(node, victim)).toBe("suspect");
    expect(sent(node.effects, victim).some(({ t }) => t === "ask")).toBe(true);
    node.beat(victim, { quiet: true });
    expect(verdictOn(node, victim)).toBe("alive");
    node.pass(200, watched);
    expect(node.state.peers.get(victim)?.watchedSince).toBeUndefined();
  });

  it("doubts an observer that it asks about another in vain", () => {
    const { node, watched } = acquainted(20);
    const victim = first(watched);
    const observers = neighbours(idsOf(20), victim).filter((id) => id !== SELF && !watched.includes(id));
    expect(observers.length).toBeGreaterThan(0);
    node.pass(1000, watched);
    node.pass(1100, watched.slice(1));
    for (const observer of observers) expect(verdictOn(node, observer)).not.toBe("alive");
  });

  it("asks one peer for a newer roster, though several have it", () => {
    const { node, watched } = acquainted(20);
    node.pass(1000, watched);
    node.effects.length = 0;
    node.pass(400, watched, { roster: { generation: 1, term: 1, opener: "opener-a", epoch: 2 } });
    const wants = watched.flatMap((peer) => sent(node.effects, peer).filter(({ t }) => t === "roster-want"));
    expect(wants).toHaveLength(1);
    node.pass(1000, watched, { roster: { generation: 1, term: 1, opener: "opener-a", epoch: 2 } });
    const again = watched.flatMap((peer) => sent(node.effects, peer).filter(({ t }) => t === "roster-want"));
    expect(again.length).toBeGreaterThan(1);
  });
});

describe("in a mesh too large for sessions with everyone, a node", () => {
  const SIZE = SESSIONS_WITH_ALL_MAX + 90;

  it("dials its neighbours and theirs, and nobody else", () => {
    const ids = idsOf(SIZE);
    const node = new LoneNode(ids);
    node.pass(5000);
    const dialled = new Set(node.effects.flatMap((effect) => (effect.type === "dial" ? [effect.peer] : [])));
    const near = new Set(neighbours(ids, SELF).flatMap((id) => [id, ...neighbours(ids, id)]));
    near.delete(SELF);
    expect([...dialled].sort()).toEqual([...near].sort());
  });

  it("counts those it never hears as alive, until someone says otherwise", () => {
    const ids = idsOf(SIZE);
    const node = new LoneNode(ids);
    const near = new Set(neighbours(ids, SELF).flatMap((id) => [id, ...neighbours(ids, id)]));
    const stranger = ids.find((id) => id !== SELF && !near.has(id)) ?? "";
    expect(verdictOn(node, stranger)).toBe("alive");
    const neighbour = first(neighbours(ids, SELF));
    node.connect(neighbour);
    node.say(neighbour, { t: "ledger", records: [death(stranger, "host-down", neighbour)] });
    expect(verdictOn(node, stranger)).toBe("host-down");
  });

  it("passes news on to its other neighbours, once", () => {
    const ids = idsOf(SIZE);
    const node = new LoneNode(ids);
    const [from = "", ...rest] = neighbours(ids, SELF);
    for (const peer of [from, ...rest]) node.connect(peer);
    for (const peer of [from, ...rest]) node.beat(peer);
    node.effects.length = 0;
    const news: PeerMessage = { t: "ledger", records: [death("n9", "host-down", from)] };
    node.say(from, news);
    node.say(from, news);
    const passedOn = (to: NodeId): number => sent(node.effects, to).filter(({ t }) => t === "ledger").length;
    expect(rest.map(passedOn)).toEqual(rest.map(() => 1));
    expect(passedOn(from)).toBe(0);
  });
});
