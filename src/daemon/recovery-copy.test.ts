/** The recovery file of a host whose keymaster lost: what of it is kept, and what is not worth it. */
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { renewRecovery, type Split, split, stale } from "../../test/e2e/split-rig.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import { sha256Hex } from "../kit/hash.ts";
import { ok, unwrap } from "../kit/result.ts";
import { type Roster, rankOf, rosterHash } from "../wire/roster.ts";
import type { Identity } from "./identity.ts";
import { keepRecoveryCopy, type RecoveryCopy } from "./recovery-copy.ts";
import { SealLineage } from "./seal-lineage.ts";

const rosterOf = ({ keeper }: Identity): Roster => keeper.current().roster;
const fileOf = ({ stateDir }: Identity): string => join(stateDir, "recovery.balefire");
const lostIn = async ({ stateDir }: Identity): Promise<string[]> =>
  (await readdir(stateDir)).filter((name) => name.startsWith("recovery.lost-"));

/** A daemon that was started and has died: it hears of no roster after this. */
async function diedAfter({ stateDir, keeper }: Identity): Promise<undefined> {
  const deaf = { current: () => keeper.current(), displaced: keeper.displaced, onChange: () => () => {} };
  await keepRecoveryCopy(new StateFolder(stateDir), deaf, () => {}).path();
}
const started = ({ stateDir, keeper }: Identity, log: string[] = []): RecoveryCopy =>
  keepRecoveryCopy(new StateFolder(stateDir), keeper, (line) => log.push(line));

/** Hears of the keymaster that won. */
async function hears({ old, fresh }: Split): Promise<void> {
  unwrap(await old.keeper.consider(fresh.keeper.current().encoded));
}
/** The keymaster has all that was handed in. */
async function handedIn({ keeper: { displaced } }: Identity): Promise<void> {
  for (const { body } of displaced.list()) unwrap(await displaced.forget(rosterHash(body)));
}

/** The host of the recovery file hears of the other keymaster; what lies there of sealed keys. */
async function filesAfter(
  { old, fresh }: Split,
  log: string[],
): Promise<{ readonly sealed: string; readonly lost: readonly string[] }> {
  const copy = keepRecoveryCopy(new StateFolder(old.stateDir), old.keeper, (line) => log.push(line));
  await copy.path();
  unwrap(await old.keeper.consider(fresh.keeper.current().encoded));
  await copy.path();
  const names = (await readdir(old.stateDir)).filter((name) => name.startsWith("recovery.lost-"));
  return {
    sealed: await readFile(join(old.stateDir, "recovery.balefire"), "utf8"),
    lost: await Promise.all(names.map((name) => readFile(join(old.stateDir, name), "utf8"))),
  };
}

test("a recovery file whose code may be the only one a person holds is kept until it counts again", async () => {
  const all = await stale();
  const { recovery } = rosterOf(all.old);
  const log: string[] = [];
  const { sealed, lost } = await filesAfter(all, log);
  expect(sealed).toContain(rosterOf(all.fresh).recovery?.sealed);
  expect(lost).toHaveLength(1);
  expect(lost[0]).toContain(recovery?.sealed);
  expect(log).toEqual([expect.stringContaining("recovery.lost-")]);
  unwrap(await all.keymaster.publish(() => ok({ recovery })));
  const after = await filesAfter(all, log);
  expect(after.sealed).toContain(recovery?.sealed);
  expect(after.lost).toEqual([]);
});

test("so it is when the daemon died before it had looked at the file, and when the copy cannot be written", async () => {
  const all = await stale();
  const file = join(all.old.stateDir, "recovery.balefire");
  const copy = keepRecoveryCopy(new StateFolder(all.old.stateDir), all.old.keeper, () => {});
  await copy.path();
  const renewed = await readFile(file, "utf8");
  unwrap(await all.old.keeper.consider(all.fresh.keeper.current().encoded));
  await copy.path();
  // As a death between the two would have left it.
  const [name = ""] = (await readdir(all.old.stateDir)).filter((each) => each.startsWith("recovery.lost-"));
  await writeFile(file, renewed);
  const again = { ...all.old.keeper, current: () => all.old.keeper.current(), onChange: () => () => {} };
  const { displaced } = all.old.keeper;
  const log: string[] = [];
  await rm(join(all.old.stateDir, name));
  await mkdir(join(all.old.stateDir, `${name}.tmp`));
  const restarted = keepRecoveryCopy(new StateFolder(all.old.stateDir), { ...again, displaced }, (line) =>
    log.push(line),
  );
  await restarted.path();
  expect(await readFile(file, "utf8")).toBe(renewed);
  expect(log.join()).toContain("the recovery file is not the roster's");
  await rm(join(all.old.stateDir, `${name}.tmp`), { recursive: true });
  await restarted.path();
  expect(await readFile(join(all.old.stateDir, name), "utf8")).toBe(renewed);
});

test.each(["while it runs", "and it was started anew since"])(
  "a code that only the winner has renewed leaves nothing behind on the loser's host, %s",
  async (when) => {
    const all = await split();
    const log: string[] = [];
    const first = when === "while it runs" ? started(all.old, log) : await diedAfter(all.old);
    await first?.path();
    // Unheard, so that what it held is set aside.
    unwrap(await all.mesh.keymaster.applyConfig("policy:\n  clock:\n    grace: 2m\n"));
    await renewRecovery(all.keymaster, all.root, all.old.mesh);
    const copy = first ?? started(all.old, log);
    await copy.path();
    await hears(all);
    await copy.path();
    expect(all.old.keeper.displaced.list()).toHaveLength(1);
    expect(await readFile(fileOf(all.old), "utf8")).toContain(rosterOf(all.fresh).recovery?.sealed);
    expect([await lostIn(all.old), log]).toEqual([[], []]);
  },
);

test("a seal that was the mesh's for longer than a chain of rosters reaches back has not lost by being renewed", async () => {
  const { old, fresh } = await split();
  const { sealed = "" } = rosterOf(old).recovery ?? {};
  const [first, next] = [old.keeper.current(), fresh.keeper.current()];
  const far = { ...next, hash: "f".repeat(64), roster: { ...next.roster, ancestors: [] } };
  const link = { ...rankOf(far), hash: far.hash };
  const renewed = { ...next, hash: "e".repeat(64), roster: { ...next.roster, ancestors: [link] } };
  const lineage = new SealLineage(new StateFolder(old.stateDir));
  unwrap(await lineage.load());
  expect(lineage.isBehind(renewed, sealed)).toBeUndefined();
  unwrap(await lineage.note(first, sealed));
  expect(lineage.isBehind(renewed, sealed)).toBe(false);
  unwrap(await lineage.note(far, sealed));
  expect(lineage.isBehind(renewed, sealed)).toBe(true);
  // After a restart the first one is known, and in doubt it is kept.
  const again = new SealLineage(new StateFolder(old.stateDir));
  unwrap(await again.load());
  expect([again.isBehind(next, sealed), again.isBehind(renewed, sealed)]).toEqual([true, false]);
});

test.each(["by the same daemon", "by the next one"])(
  "what could not be kept beside it is not written over, though the roster was handed in meanwhile; %s it is kept at last",
  async (by) => {
    const all = await stale();
    const { sealed = "" } = rosterOf(all.old).recovery ?? {};
    const log: string[] = [];
    let copy = started(all.old, log);
    await copy.path();
    const name = `recovery.lost-${sha256Hex(sealed).slice(0, 8)}.balefire`;
    // As a full disk.
    await mkdir(join(all.old.stateDir, `${name}.tmp`));
    await hears(all);
    await copy.path();
    expect(log.join()).toContain("the recovery file is not the roster's");
    await handedIn(all.old);
    if (by === "by the next one") copy = started(all.old, log);
    unwrap(await all.keymaster.publish(() => ok({})));
    await hears(all);
    await copy.path();
    expect(await readFile(fileOf(all.old), "utf8")).toContain(sealed);
    await rmdir(join(all.old.stateDir, `${name}.tmp`));
    await copy.path();
    expect(await readFile(join(all.old.stateDir, name), "utf8")).toContain(sealed);
    expect(await readFile(fileOf(all.old), "utf8")).toContain(rosterOf(all.fresh).recovery?.sealed);
  },
);

test("a recovery file that cannot be read now is not written over", async () => {
  const all = await stale();
  const log: string[] = [];
  const copy = started(all.old, log);
  await copy.path();
  const { sealed = "" } = rosterOf(all.old).recovery ?? {};
  await rename(fileOf(all.old), `${fileOf(all.old)}.away`);
  await mkdir(fileOf(all.old));
  await hears(all);
  await copy.path();
  expect(log.join()).toMatch(/the recovery file is not the roster's: cannot read .*recovery\.balefire/);
  await rmdir(fileOf(all.old));
  await rename(`${fileOf(all.old)}.away`, fileOf(all.old));
  await copy.path();
  const [name = ""] = await lostIn(all.old);
  expect(await readFile(join(all.old.stateDir, name), "utf8")).toContain(sealed);
});
