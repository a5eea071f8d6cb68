import { describe, expect, it } from "vitest";
import { LoneNode, START } from "../../test/contract/lone-node.ts";
import { ms, seconds, wallTime } from "../kit/time.ts";
import type { LedgerRecord } from "./ledger-records.ts";

const EVERY = seconds(60);
/** Peers whose place before or after `a` is as the hash has it; `channels` says that they could ping too. */
const ABLE = { channels: ["inbox", "watchdog"] };

function node(ids: readonly string[] = ["a", "b", "c"]): LoneNode {
  const made = new LoneNode(ids, [], { heartbeats: [{ name: "watchdog", every: EVERY }] });
  for (const peer of ids.slice(1)) made.connect(peer);
  return made;
}

const pings = (of: LoneNode): string[] =>
  of.effects.flatMap((effect) => (effect.type === "ping" ? [effect.condition] : []));

const pingBy = (peer: string, turn: number): LedgerRecord => ({
  t: "ping",
  channel: "watchdog",
  node: peer,
  turn,
  at: wallTime(START),
  outcome: "delivered",
  detail: "OK",
});

describe("the dead-man's heartbeat", () => {
  it("is sent once a period by a node that is alone with it", () => {
    const alone = node();
    alone.pass(5.5 * EVERY, ["b", "c"]);
    expect(pings(alone)).toEqual(["alive", "alive", "alive", "alive", "alive"]);
  });

  it("is left to whoever pings, and taken over within two periods", () => {
    const standby = node();
    standby.pass(1000, ["b", "c"], ABLE);
    for (let turn = 1; turn <= 4; turn += 1) {
      standby.say("b", { t: "ledger", records: [pingBy("b", turn)] });
      standby.pass(EVERY - 1000, ["b", "c"], ABLE);
    }
    expect(pings(standby)).toEqual([]);
    standby.pass(EVERY + 1000, ["b", "c"], ABLE);
    expect(pings(standby)).toEqual(["alive"]);
  });

  it("says at once that most of the mesh is gone, and that it is back", () => {
    const survivor = node(["a", "b", "c", "d", "e"]);
    survivor.pass(1.1 * EVERY, ["b", "c", "d", "e"]);
    survivor.pass(10_000, ["b"]);
    expect(pings(survivor)).toEqual(["alive", "fail"]);
    survivor.pass(10_000, ["b", "c", "d", "e"], { incarnation: 3 });
    expect(pings(survivor)).toEqual(["alive", "fail", "alive"]);
  });

  it("is tried again a period later when the service did not take it, and the admin is warned once", () => {
    const failing = node();
    failing.outcome = () => ({ outcome: "temporary", detail: "HTTP 500" });
    failing.pass(3.5 * EVERY, ["b", "c"]);
    expect(pings(failing)).toHaveLength(3);
    const warnings = failing.effects.filter(
      (effect) => effect.type === "notice" && effect.notice.type === "warning",
    );
    expect(warnings).toHaveLength(1);
  });

  it("waits for the outcome of a ping before it sends another", () => {
    const hanging = node();
    hanging.outcome = () => undefined;
    hanging.pass(4 * EVERY, ["b", "c"]);
    expect(pings(hanging)).toHaveLength(1);
  });

  it("is not sent by a node that stops", () => {
    const stopping = node();
    stopping.pass(1000, ["b", "c"]);
    stopping.input({ type: "stop" });
    stopping.pass(ms(3 * EVERY));
    expect(pings(stopping)).toEqual([]);
  });
});
