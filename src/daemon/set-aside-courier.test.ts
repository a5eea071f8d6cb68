/** How rosters that lost come to who signs now: in one process, on real state folders, questions being calls. */
import { mkdir, readdir, readFile, rename, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { afterThisTest } from "../../test/e2e/join-rig.ts";
import { join_, now, signedBy, split } from "../../test/e2e/split-rig.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import type { RequestMethod } from "../core/messages.ts";
import { fail, failure, ok, type Result, unwrap } from "../kit/result.ts";
import { ms } from "../kit/time.ts";
import type { SignedRoster } from "../wire/roster.ts";
import { damageFindings } from "./doctor.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import type { Answerer, Questions } from "./questions.ts";
import { createCourier } from "./set-aside-courier.ts";
import { SET_ASIDE_FILE } from "./state-files.ts";
import { promoteByRoot } from "./takeover.ts";

const AGAIN_AFTER = ms(20);
const PATIENCE_MS = 5000;

interface Node {
  readonly identity: Identity;
  readonly log: string[];
  readonly asked: SignedRoster[];
  start(): void;
}

/** Nodes that reach one another. What `answer` gives stands for what a node would answer. */
function linked(
  identities: readonly Identity[],
  answer: (from: string, body: object) => Promise<Result<object> | undefined> = async () => undefined,
): Node[] {
  const answerers = new Map<string, Answerer>();
  return identities.map((identity) => {
    const [log, asked]: [string[], SignedRoster[]] = [[], []];
    const questions: Pick<Questions, "ask" | "serve"> = {
      serve: (_method: RequestMethod, answerer) => void answerers.set(identity.id, answerer),
      ask: async (to, question) => {
        asked.push(question.body as SignedRoster);
        const answerer = answerers.get(to);
        if (answerer === undefined) return fail(question.unanswered);
        const { id } = identity;
        const given = (await answer(id, question.body)) ?? (await answerer(id, question.body));
        return given.ok ? ok(question.answer.parse(given.value)) : given;
      },
    };
    const tell = (line: string): void => void log.push(line);
    const courier = createCourier({
      identity,
      questions,
      wall: now,
      log: tell,
      warn: tell,
      firstAfter: ms(1),
      againAfter: AGAIN_AFTER,
    });
    afterThisTest(() => courier.stop());
    return { identity, log, asked, start: courier.start };
  });
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const began = Date.now(); !(await isSo()); ) {
    if (Date.now() - began > PATIENCE_MS) throw new Error("it did not happen");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const reload = async ({ stateDir }: Identity): Promise<Identity> => unwrap(await loadIdentity(stateDir));
const fileOf = ({ stateDir }: Identity, name: string): Promise<string> =>
  readFile(join(stateDir, name), "utf8");

/** pve2 signs and lists what pve1 has lost, which has stepped down. */
async function listing() {
  const all = await split();
  await join_(all.mesh, "pve5", "127.0.0.5");
  const lost = signedBy(all.old);
  unwrap(await all.keymaster.setAside.take(lost, now()));
  unwrap(await all.old.keeper.consider(all.fresh.keeper.current().encoded));
  return { ...all, lost };
}

test("what the keymaster before had listed comes to the next, though it died as it handed over", async () => {
  const { old, fresh, lost, root } = await listing();
  unwrap(await promoteByRoot(old, root, now()));
  unwrap(await fresh.keeper.consider(old.keeper.current().encoded));
  expect(fresh.seat.current()).toBeUndefined();
  const [former, next] = linked([await reload(fresh), old]);
  former?.start();
  await until(() => old.seat.office.setAside.list().length > 0);
  expect(old.seat.office.setAside.list().map((each) => each.lost.signed)).toEqual([lost]);
  // Handed in once: neither now nor after the next start does it come again.
  await until(() => former?.identity.seat.office.setAside.undecided().length === 0);
  expect(former?.asked).toHaveLength(1);
  expect((await reload(fresh)).seat.office.setAside.undecided()).toEqual([]);
  expect(former?.log).toEqual([expect.stringMatching(/the roster \w{8} of pve1, term 1 .* handed in/)]);
  expect(next?.log).toEqual([expect.stringMatching(/the roster \w{8} of pve1.* is set aside/)]);
});

test("what the keymaster refuses for good is named before it is forgotten; what it may take later is kept", async () => {
  const { old, fresh, lost } = await listing();
  const { displaced } = old.keeper;
  const forged = { ...lost, body: lost.body.replace("pve5", "pve7") };
  unwrap(await displaced.keep({ signed: forged }));
  let refusals = 0;
  const notYet = async (_from: string, body: object) =>
    (body as SignedRoster).body === lost.body && ++refusals < 3
      ? failure("roster-refused", "it has not lost", undefined, true)
      : undefined;
  const [member, keymaster] = linked([old, fresh], notYet);
  member?.start();
  await until(() => displaced.list().length === 0);
  expect(member?.asked.filter(({ body }) => body === lost.body)).toHaveLength(3);
  expect(member?.asked.filter(({ body }) => body === forged.body)).toHaveLength(1);
  expect(member?.log).toEqual([
    expect.stringMatching(/of pve1, term 1 epoch \d+ .* waits for the keymaster: it has not lost/),
    expect.stringMatching(/of pve1, term 1 epoch \d+ .* is given up, .* not signed by a key of this mesh/),
    expect.stringContaining("is handed in"),
  ]);
  expect(keymaster?.log).toEqual([expect.stringContaining("not signed by a key of this mesh")]);
});

test("a keymaster that has too much to decide about is asked again, and nothing is forgotten meanwhile", async () => {
  const { old, fresh } = await listing();
  const [member] = linked([old, fresh], async () => failure("limit-reached", "too many", undefined, true));
  member?.start();
  await until(() => (member?.asked.length ?? 0) > 2);
  expect(old.keeper.displaced.list()).toHaveLength(1);
  expect(member?.log).toHaveLength(1);
});

test("rosters that come while one is handed in don't have it handed in twice at a time", async () => {
  const { old, fresh, keymaster } = await listing();
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const [member] = linked([old, fresh], async () => {
    await gate;
    return undefined;
  });
  member?.start();
  await until(() => member?.asked.length === 1);
  for (let rosters = 0; rosters < 3; rosters += 1) {
    unwrap(await keymaster.readdressNode("pve3", [`127.0.0.3${rosters}`]));
    unwrap(await old.keeper.consider(fresh.keeper.current().encoded));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  open();
  await until(() => old.keeper.displaced.list().length === 0);
  expect(member?.asked).toHaveLength(1);
});

test("who signs again by the time the other has it keeps its own", async () => {
  const { fresh, keymaster, lost } = await listing();
  const [entry] = keymaster.setAside.list();
  unwrap(await keymaster.setAside.forget(entry?.lost.hash ?? "", () => fresh.seat.current() !== undefined));
  expect(keymaster.setAside.undecided()).toEqual([lost]);
});

test.each(["set-aside.json", "term-base.json", "displaced.json"])(
  "a damaged %s keeps nobody from watching: it is put aside, told of, and begins anew",
  async (name) => {
    const { old, fresh } = await listing();
    const owner = name === "displaced.json" ? old : fresh;
    const torn = (await fileOf(owner, name)).slice(0, -20);
    await writeFile(join(owner.stateDir, name), torn);
    const again = await reload(owner);
    // Looking changes nothing.
    expect(await fileOf(owner, name)).toBe(torn);
    const [node] = linked([again]);
    node?.start();
    await until(async () => (await readdir(owner.stateDir)).includes(`${name}.damaged-1`));
    expect(await fileOf(owner, `${name}.damaged-1`)).toBe(torn);
    const isNow = expect.stringMatching(`${name}: it is torn.*; it is now ${name}.damaged-1`);
    await until(() => node?.log.length === 1);
    const damage = [...again.keeper.displaced.damage(), ...again.seat.office.setAside.damage()];
    expect(node?.log).toEqual([isNow]);
    expect(damageFindings(damage)).toMatchObject([{ level: "warning", finding: isNow }]);
    unwrap(await again.keeper.displaced.keep({ signed: signedBy(again) }));
    expect((await reload(owner)).keeper.displaced.list()).toContainEqual(signedBy(again));
    expect((await reload(owner)).keeper.displaced.damage()).toEqual([]);
  },
);

test.each(["set-aside.json", "term-base.json", "displaced.json"])(
  "a %s that cannot be read keeps nobody from watching: it is told of, left where it is, and read when it can be",
  async (name) => {
    const { old, fresh, lost } = await listing();
    const owner = name === "displaced.json" ? old : fresh;
    const path = join(owner.stateDir, name);
    await rename(path, `${path}.away`);
    await mkdir(path);
    const again = await reload(owner);
    const [node] = linked([again, ...(owner === old ? [fresh] : [])]);
    node?.start();
    const { setAside } = again.seat.office;
    const damage = () => [...again.keeper.displaced.damage(), ...setAside.damage()];
    await until(() => (node?.log.length ?? 0) > 0);
    expect(damageFindings(damage())).toMatchObject([
      { level: "warning", finding: expect.stringMatching(`cannot read .*${name}`) },
    ]);
    if (owner === fresh)
      expect(await setAside.take(lost, now())).toMatchObject({ error: { code: "internal", retry: true } });
    await rmdir(path);
    await rename(`${path}.away`, path);
    await until(() => damage().length === 0);
    expect(node?.log.filter((line) => line.includes("cannot read"))).toHaveLength(1);
    expect((await readdir(owner.stateDir)).filter((each) => each.includes("damaged"))).toEqual([]);
    if (owner === old) await until(() => again.keeper.displaced.list().length === 0);
    else expect(setAside.list().flatMap(({ changes }) => changes)).toHaveLength(1);
  },
);

test("of a list in which some cannot be read the others stay", async () => {
  const { fresh, lost } = await listing();
  const folder = new StateFolder(fresh.stateDir);
  const { rosters } = unwrap(await folder.readJson(SET_ASIDE_FILE)) ?? { rosters: [] };
  const signed = { ...lost, body: "{}" };
  unwrap(
    await folder.writeJson(SET_ASIDE_FILE, { rosters: [{ at: 1, signed, settled: false }, ...rosters] }),
  );
  const again = await reload(fresh);
  const { setAside } = again.seat.office;
  expect(setAside.damage()).toMatchObject([{ message: expect.stringContaining("1 of 2 rosters") }]);
  unwrap(await setAside.putAsideDamaged());
  const { setAside: whole } = (await reload(fresh)).seat.office;
  expect([whole.undecided(), whole.damage()]).toEqual([[lost], []]);
  expect(await fileOf(fresh, "set-aside.json.damaged-1")).toContain('"{}"');
});
