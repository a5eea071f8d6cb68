import { beforeEach, describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { incidentOf } from "../../test/contract/sample-incidents.ts";
import type { DeliveryRecord, IntentRecord } from "./ledger-records.ts";
import { RESUME_PATIENCE } from "./limits.ts";

const MEMBERS = ["a", "b", "s"];

/** What is on the disk of a node that was killed between sending and receipt. */
function killedWhileSending(): LoneNode {
  const a = new LoneNode(MEMBERS);
  a.outcome = (channel) => (channel === "inbox" ? { outcome: "delivered", detail: "" } : undefined);
  a.connect("b");
  a.pass(RESUME_PATIENCE, ["b"]);
  a.say("b", { t: "ledger", records: [incidentOf("down", "s")] });
  a.pass(1000, ["b"]);
  return a;
}

describe("a node that was killed between sending and receipt, and is started again", () => {
  let intent: IntentRecord;
  let again: LoneNode;
  beforeEach(() => {
    const killed = killedWhileSending();
    const found = [...killed.state.ledger.records.values()].find(
      (record): record is IntentRecord => record.t === "intent" && record.channel === "phone",
    );
    if (found === undefined) throw new Error("it has not begun to send");
    intent = found;
    again = new LoneNode(
      MEMBERS,
      [...killed.disk].map(([key, value]) => ({ key, value })),
    );
    again.connect("b");
  });

  const ids = (): string[] =>
    again.effects.flatMap((effect) =>
      effect.type === "deliver" && effect.channel === "phone" ? [effect.notification.id] : [],
    );

  it("sends again under the same id, once the others had time to say that they have", () => {
    again.pass(RESUME_PATIENCE - 100, ["b"]);
    expect(ids()).toEqual([]);
    again.pass(1000, ["b"]);
    expect(ids()).toEqual([intent.message]);
  });

  it("does not where another has told meanwhile", () => {
    const { message, incidents, phase, channel } = intent;
    const told = { message, incidents, phase, channel, node: "b", at: again.env().wall } as const;
    const receipt: DeliveryRecord = { t: "delivery", ...told, outcome: "delivered", attempt: 1, detail: "" };
    again.pass(500, ["b"]);
    again.say("b", { t: "ledger", records: [receipt] });
    again.pass(20_000, ["b"]);
    expect(ids()).toEqual([]);
  });
});
