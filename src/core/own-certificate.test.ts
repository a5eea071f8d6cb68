import { expect, test } from "vitest";
import { LoneNode, START } from "../../test/contract/lone-node.ts";
import { hours, wallTime } from "../kit/time.ts";
import { incidentId } from "./incident-id.ts";
import type { SingleInput } from "./io.ts";
import type { IncidentRecord } from "./ledger-records.ts";

function node(): LoneNode {
  const made = new LoneNode(["a", "b", "s"]);
  made.connect("b");
  made.pass(1000, ["b"]);
  return made;
}
function take(told: LoneNode, input: SingleInput): void {
  told.input(input);
  told.pass(20_000, ["b"]);
}
const LATE = "its certificate ends 2027-01-20 08:00:00 UTC and could not be renewed: nobody answers";
const texts = (told: LoneNode): string[] =>
  told.effects.flatMap((effect) =>
    effect.type === "deliver" && effect.channel === "phone" ? [effect.notification.text] : [],
  );

test("a certificate that is late is told once, with what keeps it, and so is its renewal", () => {
  const told = node();
  take(told, { type: "certificate", late: LATE });
  take(told, { type: "certificate", late: `${LATE} again` });
  expect(told.told()).toEqual(["The certificate of a is not being renewed"]);
  expect(texts(told)[0]).toContain(`a: ${LATE}.`);
  take(told, { type: "certificate", late: undefined });
  expect(told.told().slice(1)).toEqual(["The certificate of a is renewed"]);
  take(told, { type: "certificate", late: LATE });
  expect(told.told()).toHaveLength(3);
});

test("one that is in order is not spoken of", () => {
  const told = node();
  take(told, { type: "certificate", late: undefined });
  expect(told.told()).toEqual([]);
});

test("of a node that was revoked people are told its name and why, though it has left the mesh", () => {
  const told = node();
  told.input({
    type: "roster",
    roster: {
      ...told.state.roster,
      epoch: 2,
      members: told.state.roster.members.filter(({ id }) => id !== "s"),
    },
  });
  take(told, { type: "revoked", node: "s", name: "pve3", why: "stolen" });
  expect(told.told()).toEqual(["pve3 was revoked"]);
  expect(texts(told)[0]).toMatch(
    /The key of pve3 was revoked .*: stolen\. No node speaks with it any more\./,
  );
  told.pass(60_000, ["b"]);
  expect(told.told()).toHaveLength(1);
});

const SINCE = wallTime(START - hours(3));
const WAITS = { since: SINCE, words: "waits for b, s: it cannot be reached" };

test("a change of roots that takes too long is told once: for whom it waits, how to go on without, and its end", () => {
  const told = node();
  take(told, { type: "root-change", late: undefined });
  take(told, { type: "root-change", late: WAITS });
  take(told, { type: "root-change", late: { since: SINCE, words: "waits for s: it cannot be reached" } });
  expect(told.told()).toEqual(["The change of roots waits for b, s"]);
  expect(texts(told)[0]).toMatch(
    /begun on a 20\S+ \S+ UTC waits for b, s: it cannot be reached\.[\s\S]*`balefire root rotate --waive NODE`/,
  );
  take(told, { type: "root-change", late: undefined });
  expect(told.told().slice(1)).toEqual(["The change of roots is over"]);
  take(told, { type: "root-change", late: undefined });
  expect(told.told()).toHaveLength(2);
});

test("whoever drives it after a takeover neither tells it again nor leaves it open", () => {
  const told = node();
  const { mesh } = told.state.roster;
  const record: IncidentRecord = {
    t: "incident",
    incident: incidentId(mesh, "certificate", "s", 0, "root"),
    kind: "certificate",
    subject: "s",
    name: "s",
    incarnation: 0,
    verdict: "alive",
    since: SINCE,
    by: "s",
    topic: "root",
    detail: WAITS.words,
  };
  told.say("b", { t: "ledger", records: [record] });
  take(told, { type: "root-change", late: WAITS });
  expect(told.told()).toHaveLength(1);
  expect(told.incidents("certificate")).toEqual([record]);
  take(told, { type: "root-change", late: undefined });
  expect(told.told().slice(1)).toEqual(["The change of roots is over"]);
});

test("it is another thing than the keymaster's own certificate, and both may be told together", () => {
  const told = node();
  told.input({
    type: "root-change",
    late: { since: SINCE, words: "cannot go on: pve2 may sign by the old root only" },
  });
  take(told, { type: "certificate", late: LATE });
  expect(told.told()).toEqual(["The certificate of a is not being renewed"]);
  expect(texts(told)[0]).toContain("cannot go on: pve2 may sign by the old root only.");
  take(told, { type: "certificate", late: undefined });
  expect(told.told().slice(1)).toEqual(["The certificate of a is renewed"]);
  take(told, { type: "root-change", late: undefined });
  expect(told.told().slice(2)).toEqual(["The change of roots is over"]);
});
