import { describe, expect, it } from "vitest";
import { LoneNode, MESH, START } from "../../test/contract/lone-node.ts";
import { wallTime } from "../kit/time.ts";
import { incidentId } from "./incident-id.ts";
import type { Effect } from "./io.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import { LATER_NEWS } from "./limits.ts";
import { observersOf } from "./roles.ts";
import type { NodeId } from "./types.ts";

/** So many that most do not watch the one that dies. */
const IDS: readonly NodeId[] = Array.from({ length: 40 }, (_, index) => `n${index}`);

interface Scene {
  readonly node: LoneNode;
  readonly victim: NodeId;
  readonly others: readonly NodeId[];
}

/** One of the observers of a host that has just fallen silent has held it for down, and entered that. */
function entered(): Scene {
  const [self = "", ...peers] = IDS;
  const node = new LoneNode(IDS, [], { channels: [] });
  for (const peer of peers) node.connect(peer);
  for (const peer of peers) node.beat(peer);
  const victim = [...node.state.watched][0]?.id ?? "";
  const others = peers.filter((peer) => peer !== victim);
  const watched = [...node.state.watched].map(({ id }) => id).filter((id) => id !== victim);
  const isEntered = (): boolean => node.effects.some((effect) => recordsIn(effect, "incident").length > 0);
  for (let at = 0; at < 3000 && !isEntered(); at += 10) {
    node.pass(10, watched);
    for (const observer of observersOf(node.state, victim))
      if (observer !== self) node.sayIsSilent(observer, victim);
  }
  expect(node.verdict(victim)).toBe("host-down");
  return { node, victim, others };
}

function recordsIn(effect: Effect, type: LedgerRecord["t"]): readonly LedgerRecord[] {
  if (effect.type === "persist") return effect.afterwards.flatMap((each) => recordsIn(each, type));
  if (effect.type !== "send" || effect.envelope.message.t !== "ledger") return [];
  return effect.envelope.message.records.filter(({ t }) => t === type);
}

const toldOf = ({ node }: Scene, type: LedgerRecord["t"], plane: "datagram" | "stream"): Set<NodeId> =>
  new Set(
    node.effects.flatMap((effect) =>
      effect.type === "send" && effect.plane === plane && recordsIn(effect, type).length > 0
        ? [effect.to]
        : [],
    ),
  );

describe("the death of a host that few watch", () => {
  it("is told at once to the host itself, its observers and the first in line, and to the rest a little later", () => {
    const scene = entered();
    const { node, victim, others } = scene;
    const atOnce = toldOf(scene, "incident", "datagram");
    const observers = [...observersOf(node.state, victim)].filter((id) => id !== node.state.self);
    expect([...atOnce]).toEqual(expect.arrayContaining([victim, ...observers]));
    expect(atOnce.size).toBeLessThan(IDS.length / 2);
    expect(toldOf(scene, "incident", "stream").size).toBe(0);
    node.pass(LATER_NEWS + 1, others);
    const all = new Set([...atOnce, ...toldOf(scene, "incident", "stream")]);
    expect([...all].toSorted()).toEqual([victim, ...others].toSorted());
  });

  it("reaches the rest in one message, with what became of it", () => {
    const scene = entered();
    const { node, victim, others } = scene;
    const atOnce = toldOf(scene, "incident", "datagram");
    const incident = incidentId(MESH, "down", victim, 1);
    const sender = [...atOnce].find((id) => id !== victim) ?? "";
    const seen = { t: "evidence", incident, observer: sender, name: sender, path: "datagram" } as const;
    node.say(sender, { t: "ledger", records: [{ ...seen, probe: "silent", at: wallTime(START) }] });
    node.pass(LATER_NEWS + 1, others);
    for (const late of others.filter((id) => !atOnce.has(id))) {
      const messages = node.effects.filter(
        (effect) => effect.type === "send" && effect.to === late && effect.envelope.message.t === "ledger",
      );
      expect(messages, late).toHaveLength(1);
    }
  });
});

describe("who has not been told yet", () => {
  const untold = ({ node, victim, others }: Scene): NodeId[] => {
    const atOnce = toldOf({ node, victim, others }, "incident", "datagram");
    return others.filter((id) => !atOnce.has(id));
  };

  it("is told before a node that stops hangs up", () => {
    const scene = entered();
    const late = untold(scene);
    const before = scene.node.effects.length;
    scene.node.input({ type: "stop" });
    const said = scene.node.effects.slice(before);
    for (const id of late) {
      const told = said.findIndex(
        (effect) => "to" in effect && effect.to === id && recordsIn(effect, "incident").length > 0,
      );
      const hungUp = said.findIndex((effect) => effect.type === "hang-up" && effect.peer === id);
      expect(told, id).toBeGreaterThan(-1);
      expect(told, id).toBeLessThan(hungUp);
    }
  });

  it("is told with its next session, if it has none just then", () => {
    const scene = entered();
    const { node, others } = scene;
    const [lost = ""] = untold(scene);
    node.input({ type: "session-down", peer: lost, session: `with ${lost}`, end: "replaced" });
    node.pass(
      LATER_NEWS + 1,
      others.filter((id) => id !== lost),
    );
    expect(toldOf(scene, "incident", "stream")).not.toContain(lost);
    node.connect(lost);
    node.pass(1, []);
    expect(toldOf(scene, "incident", "stream")).toContain(lost);
  });
});

it("where several hosts are going down at once everyone is told at once", () => {
  const [self = "", ...peers] = IDS;
  const node = new LoneNode(IDS, [], { channels: [] });
  for (const peer of peers) node.connect(peer);
  for (const peer of peers) node.beat(peer);
  const [first = "", second = ""] = [...node.state.watched].map(({ id }) => id);
  const living = [...node.state.watched].map(({ id }) => id).filter((id) => id !== first && id !== second);
  for (let at = 0; at < 1500; at += 10) {
    node.pass(10, living);
    for (const subject of [first, second])
      for (const observer of observersOf(node.state, subject))
        if (observer !== self && observer !== first && observer !== second)
          node.sayIsSilent(observer, subject);
  }
  const told = toldOf({ node, victim: first, others: [] }, "incident", "datagram");
  expect(peers.filter((id) => id !== first && id !== second && !told.has(id))).toEqual([]);
});

it("a maintenance is told to everyone at once", () => {
  const [, ...peers] = IDS;
  const node = new LoneNode(IDS, [], { channels: [] });
  for (const peer of peers) node.connect(peer);
  for (const peer of peers) node.beat(peer);
  const until = wallTime(START + 1_000_000);
  const request = {
    mute: "m1",
    purpose: "silence",
    matcher: {},
    until,
    why: "",
    by: "n0",
    ended: false,
  } as const;
  node.input({ type: "mute", request });
  expect(toldOf({ node, victim: "", others: [] }, "mute", "datagram").size).toBe(peers.length);
});
