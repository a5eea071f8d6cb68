import { describe, expect, it } from "vitest";
import { LoneNode, MESH, START } from "../../test/contract/lone-node.ts";
import { wallTime } from "../kit/time.ts";
import { incidentId } from "./incident-id.ts";
import type { Effect } from "./io.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import { LATER_NEWS, WORD_EVERY, WORD_PLACES_MAX } from "./limits.ts";
import { INBOX, OUTAGE, rank } from "./turns.ts";
import type { NodeId } from "./types.ts";

const IDS: readonly NodeId[] = ["n0", "n1", "n2", "n3", "n4"];

interface Scene {
  readonly node: LoneNode;
  readonly victim: NodeId;
  readonly others: readonly NodeId[];
}

/** A node that has heard all others, of which one is about to fall silent; `place`: where it stands among the observers. */
function observerAt(place: number): Scene {
  for (const self of IDS) {
    const peers = IDS.filter((id) => id !== self);
    const node = new LoneNode([self, ...peers], [], { channels: [] });
    for (const peer of peers) node.connect(peer);
    for (const peer of peers) node.beat(peer);
    const line = rank(node.state, OUTAGE, INBOX, START);
    const victim = peers.find((peer) => line.filter((id) => id !== peer).indexOf(self) === place);
    if (victim !== undefined) return { node, victim, others: peers.filter((id) => id !== victim) };
  }
  throw new Error(`nobody stands at ${place}`);
}

const toldIn = (effect: Effect): readonly LedgerRecord[] =>
  effect.type === "send" && effect.envelope.message.t === "ledger" ? effect.envelope.message.records : [];

/** To whom, and which records of this type. */
const told = ({ node }: Scene, type: LedgerRecord["t"]): { to: NodeId; records: readonly LedgerRecord[] }[] =>
  node.effects.flatMap((effect) => {
    const records = toldIn(effect).filter(({ t }) => t === type);
    return effect.type === "send" && records.length > 0 ? [{ to: effect.to, records }] : [];
  });

const receiversOf = (scene: Scene, type: LedgerRecord["t"]): NodeId[] => [
  ...new Set(told(scene, type).map(({ to }) => to)),
];

/** The victim is silent, and all others say so, until this node holds it for down. */
function untilDown({ node, victim, others }: Scene): void {
  for (let at = 0; at < 2000 && node.verdict(victim) !== "host-down"; at += 10) {
    node.pass(10, others);
    for (const other of others) node.sayIsSilent(other, victim);
  }
  expect(node.verdict(victim)).toBe("host-down");
}

const incidentOf = (victim: NodeId): string => incidentId(MESH, "down", victim, 1);

const incident = (by: NodeId, victim: NodeId): LedgerRecord => ({
  t: "incident",
  incident: incidentOf(victim),
  kind: "down",
  subject: victim,
  name: victim,
  incarnation: 1,
  verdict: "host-down",
  since: wallTime(START),
  by,
});

const evidence = (observer: NodeId, victim: NodeId): LedgerRecord => ({
  t: "evidence",
  incident: incidentOf(victim),
  observer,
  name: observer,
  path: "datagram",
  probe: "silent",
  at: wallTime(START),
});

const LAST_WORD = WORD_EVERY * WORD_PLACES_MAX + 50;

describe("of the observers of a death", () => {
  it("the first in line enters it at once, and tells the other observers", () => {
    const scene = observerAt(0);
    untilDown(scene);
    expect(receiversOf(scene, "incident").sort()).toEqual(IDS.filter((id) => id !== scene.node.state.self));
  });

  it("tells who sends what the others answered, before it enters it", () => {
    const scene = observerAt(1);
    const { node, others } = scene;
    untilDown(scene);
    node.pass(LAST_WORD, others);
    const sender = rank(node.state, OUTAGE, INBOX, START)[0] ?? "";
    const toSender = node.effects.filter((effect) => effect.type === "send" && effect.to === sender);
    const records = toSender.flatMap(toldIn);
    const entered = records.findIndex(({ t }) => t === "incident");
    const heard = records.slice(0, entered).filter(({ t }) => t === "evidence");
    expect(heard).toHaveLength(others.length);
  });

  it("another waits, and enters it when it has heard of it from nobody", () => {
    const scene = observerAt(2);
    untilDown(scene);
    expect(told(scene, "incident")).toEqual([]);
    scene.node.pass(LAST_WORD, scene.others);
    expect(receiversOf(scene, "incident")).toEqual(expect.arrayContaining([...scene.others]));
  });

  it("another adds what it saw where the first has entered it, and tells that only to who sends", () => {
    const scene = observerAt(2);
    const { node, victim, others } = scene;
    untilDown(scene);
    const first = rank(node.state, OUTAGE, INBOX, START)[0] ?? "";
    node.say(first, { t: "ledger", records: [incident(first, victim)] });
    node.pass(LAST_WORD, others);
    expect(told(scene, "incident")).toEqual([]);
    expect(receiversOf(scene, "evidence")).toEqual([first]);
  });

  it("another enters no second death where the first is over already, though it has not heard the host itself", () => {
    const scene = observerAt(2);
    const { node, victim, others } = scene;
    untilDown(scene);
    const ended: LedgerRecord = {
      t: "resolved",
      incident: incidentOf(victim),
      at: wallTime(START),
      by: others[0] ?? "",
      how: "returned",
    };
    node.say(others[0] ?? "", { t: "ledger", records: [incident(others[0] ?? "", victim), ended] });
    node.pass(LAST_WORD, others);
    expect(node.incidents("down")).toHaveLength(1);
  });

  it("another that was stopped before it has entered it looks into it anew", () => {
    const scene = observerAt(2);
    const { node, victim, others } = scene;
    untilDown(scene);
    node.now += 5000;
    node.input({ type: "wake" });
    expect(node.verdict(victim)).not.toBe("host-down");
    node.pass(600, others);
    expect(node.incidents("down")).toEqual([]);
  });

  it("another enters the return only when the first has not, by the next beat", () => {
    const scene = observerAt(2);
    const { node, victim, others } = scene;
    untilDown(scene);
    node.pass(LAST_WORD, others);
    node.beat(victim, { incarnation: 2 });
    expect(told(scene, "resolved")).toEqual([]);
    node.pass(LAST_WORD, others);
    node.beat(victim, { incarnation: 2 });
    expect(receiversOf(scene, "resolved").length).toBeGreaterThan(0);
  });
});

describe("what the other observers saw", () => {
  it("is gathered by whoever writes to the inbox, and all of it passed on together", () => {
    const scene = observerAt(0);
    const { node, victim, others } = scene;
    untilDown(scene);
    node.effects.length = 0;
    for (const other of others) node.say(other, { t: "ledger", records: [evidence(other, victim)] });
    expect(told(scene, "evidence")).toEqual([]);
    node.pass(LATER_NEWS + 20, others);
    expect(receiversOf(scene, "evidence").sort()).toEqual([...others].sort());
    const ofOthers = told(scene, "evidence").filter(
      ({ records }) =>
        !records.some((record) => record.t === "evidence" && record.observer === node.state.self),
    );
    expect(ofOthers).toHaveLength(others.length);
    // Nobody is told its own.
    for (const { to, records } of ofOthers) {
      expect(records).toHaveLength(others.length - 1);
      expect(records).not.toContainEqual(expect.objectContaining({ observer: to }));
    }
  });

  it("is gathered also where it comes with the news of another death", () => {
    const scene = observerAt(0);
    const { node, victim, others } = scene;
    const [from = "", another = ""] = others;
    untilDown(scene);
    node.effects.length = 0;
    node.say(from, { t: "ledger", records: [incident(from, another), evidence(from, victim)] });
    node.pass(LATER_NEWS + 20, others);
    const passedOn = told(scene, "evidence").flatMap(({ records }) => records);
    expect(passedOn).toContainEqual(expect.objectContaining({ observer: from }));
  });

  it("is left by everyone else to the one who gathers it", () => {
    const scene = observerAt(2);
    const { node, victim, others } = scene;
    untilDown(scene);
    node.effects.length = 0;
    for (const other of others) node.say(other, { t: "ledger", records: [incident(other, victim)] });
    for (const other of others) node.say(other, { t: "ledger", records: [evidence(other, victim)] });
    node.pass(LATER_NEWS + 200, others);
    for (const { records } of told(scene, "evidence"))
      expect(records).toEqual([expect.objectContaining({ observer: node.state.self })]);
  });
});
