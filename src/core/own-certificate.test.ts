import { expect, test } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import type { SingleInput } from "./io.ts";

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
