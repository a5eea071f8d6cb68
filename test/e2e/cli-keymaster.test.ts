/** The verbs about who signs, as a person types them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { keymasterHandlers, LOST_ID, shownKeymaster } from "./cli-keymaster-answers.ts";
import { createRig, type Rig } from "./cli-rig.ts";

const CODE = "7QK3M-7QK3M-7QK3M-7QK3M-7QK3M-7QK3M-7QK3M";
let rig: Rig;
let self: typeof shownKeymaster.self = "member";
const asked: object[] = [];

beforeAll(async () => {
  rig = await createRig({
    "keymaster-show": async () => ({ ...shownKeymaster, self }),
    "keymaster-promote": (given) => {
      asked.push(given);
      return keymasterHandlers["keymaster-promote"](given);
    },
    "standby-add": (given) => {
      asked.push(given);
      return keymasterHandlers["standby-add"](given);
    },
  });
});
afterAll(() => rig.close());

test("show names who signs and by what right, who may take over, what is void, and what was set aside", async () => {
  self = "keymaster";
  const { code, stdout, stderr } = await rig.run(["keymaster", "show"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Keymaster: b, since term 3 by the root key \(generation 2\)\.\n/);
  expect(stdout).toContain("Standbys: c.");
  expect(stdout).toContain("Void: a signing key of a");
  expect(stdout).toContain(`Set aside ${LOST_ID}: signed by a until`);
  expect(stdout).toContain("    let in e (at 10.0.0.5:7654");
  expect(stdout).toContain("    changed the shared configuration (version 3; here version 2)");
  expect(stdout).toContain("    voided the signing key of c (2027-01-15T06:30:00.000Z; here it may sign)");
  expect(stdout).toContain("    made e a standby (here it may not sign)");
  expect(stdout).toContain("    renewed the recovery code (here another code holds)");
  expect(stderr).toContain(`balefire keymaster confirm ${LOST_ID}`);
  expect((await rig.json(["keymaster", "show"])).document).toMatchObject({
    schema: 1,
    keymaster: { node: "b" },
    setAside: [{ id: LOST_ID }],
  });
});

test("promote asks a plain node for the code, and a standby only where that is wanted", async () => {
  self = "member";
  const promoted = await rig.run(["keymaster", "promote"], { input: `${CODE}\n` });
  expect(promoted).toMatchObject({ code: 0 });
  expect(asked.at(-1)).toEqual({ code: CODE });
  expect(promoted.stderr).toContain("by the root key's right, in place of b");
  expect(promoted.stdout).toMatch(/^b is the keymaster\.\nVoid: the signing key of a\.\nStandbys: c\.\n/);
  expect(promoted.stdout).toContain("Not yet to a");
  expect(promoted.stderr).toContain("Join tokens made before are void");
  expect(promoted.stdout + promoted.stderr).not.toContain(CODE);
  expect(await rig.run(["keymaster", "promote"], { input: "" })).toMatchObject({ code: 2 });
  self = "standby";
  await rig.run(["keymaster", "promote"]);
  expect(asked.at(-1)).toEqual({});
  await rig.run(["keymaster", "promote", "--with-code"], { input: CODE });
  expect(asked.at(-1)).toEqual({ code: CODE });
});

test("a recovery file that is none is refused before a code is typed", async () => {
  const { code, stderr } = await rig.run(["keymaster", "promote", "--recovery-file", "/etc/hostname"]);
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("/etc/hostname") });
  const missing = await rig.run(["keymaster", "standby", "add", "d", "--recovery-file", "/none/there"]);
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("/none/there") });
});

test("move, standby add and standby remove show who may take over in the end", async () => {
  const moved = await rig.run(["keymaster", "move", "c"]);
  expect(moved).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^c is the keymaster\.\nStandbys: b\./),
  });
  const added = await rig.run(["keymaster", "standby", "add", "d"], { input: CODE });
  expect(added.stdout).toMatch(/^d is a standby\.\nStandbys: c, d\.\n/);
  expect(asked.at(-1)).toEqual({ node: "d", code: CODE });
  const removed = await rig.run(["keymaster", "standby", "remove", "c"]);
  expect(removed.stdout).toMatch(
    /^c is no standby any more, and its signing key is void\.\nStandbys: none\./,
  );
});

test("confirm and drop say what holds now, what does not, and why", async () => {
  const confirmed = await rig.run(["keymaster", "confirm", LOST_ID]);
  expect(confirmed.stdout).toContain(`${LOST_ID} is confirmed:\n    let in e`);
  expect(confirmed.stdout).toContain("not done: moved c to 10.0.0.9: node d has it");
  const dropped = await rig.run(["keymaster", "drop", LOST_ID]);
  expect(dropped.stdout).toContain(`${LOST_ID} is dropped`);
});
