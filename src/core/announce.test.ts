import { expect, it } from "vitest";
import { LoneNode, MESH, START } from "../../test/contract/lone-node.ts";
import { wallTime } from "../kit/time.ts";
import { incidentId } from "./incident-id.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import { ANNOUNCED_FOR, TURN_ATTEMPTS } from "./limits.ts";

const INCIDENT = incidentId(MESH, "certificate", "z", 0);
const certificateOfZ: LedgerRecord = {
  t: "incident",
  incident: INCIDENT,
  kind: "certificate",
  subject: "z",
  name: "z",
  incarnation: 0,
  verdict: "alive",
  since: wallTime(START),
  by: "z",
};
const others = ["a", "z"];

const attempts = (node: LoneNode): number =>
  node.effects.filter((effect) => effect.type === "deliver" && effect.channel === "phone").length;

/** The number of this node's last intent on the channel; 0 = none. */
const announced = (node: LoneNode): number => {
  const intents = [...node.state.ledger.records.values()].filter(
    (record) => record.t === "intent" && record.node === "m" && record.channel === "phone",
  );
  return Math.max(0, ...intents.map((record) => (record.t === "intent" ? record.renewal : 0)));
};

/** A node whose attempts have all failed, at the moment when it says that it tries again. */
function announcing(): LoneNode {
  const node = new LoneNode(["m", ...others]);
  for (const peer of others) node.connect(peer);
  node.outcome = (channel) =>
    channel === "phone"
      ? { outcome: "temporary", detail: "HTTP 500" }
      : { outcome: "delivered", detail: "kept here" };
  node.say("z", { t: "ledger", records: [certificateOfZ] });
  for (let at = 0; at < 60_000 && attempts(node) < TURN_ATTEMPTS; at += 100) node.pass(100, others);
  const before = announced(node);
  for (let at = 0; at < 60_000 && announced(node) === before; at += 10) node.pass(10, others);
  expect([attempts(node), announced(node) > before]).toEqual([TURN_ATTEMPTS, true]);
  return node;
}

const intentOf = (node: string): LedgerRecord => ({
  t: "intent",
  message: "m".repeat(32),
  incidents: [INCIDENT],
  phase: "open",
  channel: "phone",
  node,
  at: wallTime(START),
  renewal: 1,
});

it("who tries again after a pause says so, and sends when nobody else has said the same", () => {
  const node = announcing();
  node.pass(ANNOUNCED_FOR + 50, others);
  expect(attempts(node)).toBe(TURN_ATTEMPTS + 1);
});

it("of two that say so together the one with the lower id sends", () => {
  const yielding = announcing();
  yielding.say("a", { t: "ledger", records: [intentOf("a")] });
  yielding.pass(ANNOUNCED_FOR + 50, others);
  expect(attempts(yielding)).toBe(TURN_ATTEMPTS);

  const going = announcing();
  going.say("z", { t: "ledger", records: [intentOf("z")] });
  going.pass(ANNOUNCED_FOR + 50, others);
  expect(attempts(going)).toBe(TURN_ATTEMPTS + 1);
});
