/** A change of roots among real state folders: step by step, off and on, and after a crash at every write. */

import { createPublicKey } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Openssl } from "../../test/contract/openssl.ts";
import { temporaryFolder } from "../../test/e2e/join-rig.ts";
import { copyNow, makeFolders, RootRig, snapshot } from "../../test/e2e/root-rig.ts";
import { createCsr } from "../adapters/pki/csr.ts";
import { spkiPin } from "../adapters/pki/keys.ts";
import { openRecovery } from "../adapters/pki/recovery.ts";
import { unwrap } from "../kit/result.ts";
import { hours, minutes, wallTime } from "../kit/time.ts";
import type { Roster } from "../wire/roster.ts";
import { openRootKey } from "./root-key.ts";
import { addStandby, promoteByRoot, promoteStandby } from "./takeover.ts";

const opens = async ({ recovery }: Roster, code: string): Promise<boolean> =>
  recovery !== undefined && (await openRecovery(recovery, code)).ok;

/** What other tools make of the chain that a node shows, with this root alone. */
function verifiesUnder(root: string, chain: string): boolean {
  const openssl = new Openssl();
  try {
    const [leaf = "", signers = ""] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    return openssl.verify({ roots: root, signers, leaf }).ok;
  } finally {
    openssl.close();
  }
}

describe("a change of roots", () => {
  test("ends with one new root, certificates under it, and a new code; the old root and code are worth nothing", async () => {
    const { folders, code } = await makeFolders(3);
    const rig = await RootRig.start(folders);
    const before = rig.roster(0);
    const next = await rig.rotate(0, code);
    const root = rig.roster(0).rotation?.root ?? "";
    expect(rig.roster(0)).toMatchObject({ generation: 2, term: 2, rotation: { phase: "announced" } });
    await rig.until("the end", () => rig.isDone(root));
    expect(root).not.toBe(before.roots[0]?.pin);
    const after = rig.roster(0);
    expect([await opens(after, next), await opens(after, code)]).toEqual([true, false]);
    expect(after.nodes.map((node) => node.root)).toEqual([root, root, root]);
    expect(after.crls.map((each) => each.root)).toEqual([root]);
    for (const { identity } of rig.nodes) {
      expect(verifiesUnder(after.roots[0]?.certificate ?? "", identity.certificatePem)).toBe(true);
      expect(verifiesUnder(before.roots[0]?.certificate ?? "", identity.certificatePem)).toBe(false);
    }
    const file = readFileSync(join(folders[0] ?? "", "recovery.balefire"), "utf8");
    expect(file).toContain(after.recovery?.sealed);
  });

  test("waits for a node that is off, says so, and goes on when it is back", async () => {
    const { folders, code } = await makeFolders(3);
    const rig = await RootRig.start(folders, { off: [2] });
    await rig.rotate(0, code);
    const root = rig.roster(0).rotation?.root ?? "";
    await rig.until("n1 to hear of it", () => rig.roster(1).rotation !== undefined);
    const status = () => rig.node(0).handlers["root-status"]({});
    await new Promise((resolve) => setTimeout(resolve, 50));
    const waits = { phase: "announced", waiting: [{ node: "n2", why: "away" }] };
    expect(await status()).toMatchObject(waits);
    // Only the keymaster has asked around: n1 passes on what that knows, and without it says who is away.
    expect(await rig.node(1).handlers["root-status"]({})).toMatchObject(waits);
    // Nobody is told before it takes long; then who drives it tells once, and again when it is over.
    const { late } = rig.node(0);
    expect(late).toEqual([undefined]);
    rig.aheadMs = hours(1);
    await rig.until("it to be late", () => late.length > 1);
    rig.turnOff(0);
    const away = await rig.node(1).handlers["root-status"]({});
    expect(away.waiting.map(({ node }) => node)).toEqual(["n0", "n2"]);
    rig.turnOn(0);
    // Leaves still come with what everybody knows.
    expect(rig.rootOf(1)).not.toBe(root);
    rig.turnOff(1);
    rig.turnOn(2);
    await rig.until(
      "the second phase, in which n1 is missed",
      () => rig.roster(0).rotation?.phase === "issuing",
    );
    const isWaitedFor = (): number => {
      const step = rig.node(0).rotation.step();
      return step?.step === "wait" ? step.for.length : 0;
    };
    await rig.until("n2's certificate", () => rig.rootOf(2) === root && isWaitedFor() === 1);
    expect(await status()).toMatchObject({ phase: "issuing", waiting: [{ node: "n1", why: "away" }] });
    rig.turnOn(1);
    await rig.until("the end", () => rig.isDone(root));
    expect(await status()).toMatchObject({
      phase: "none",
      waiting: [],
      roots: [{ pin: root, role: "only" }],
    });
    const since = expect.any(Number);
    expect(late).toEqual([undefined, { since, words: "waits for n2: it cannot be reached" }, undefined]);
    expect([1, 2].flatMap((at) => rig.node(at).late)).toEqual([]);
  });

  test("does not wait for a waived node, named at the start or later; it follows by the handover", async () => {
    const { folders, code } = await makeFolders(4);
    const rig = await RootRig.start(folders, { off: [2, 3] });
    await rig.rotate(0, code, ["n2"]);
    const root = rig.roster(0).rotation?.root ?? "";
    const { waived } = await rig.node(0).handlers["root-waive"]({ nodes: ["n3"] });
    expect(waived).toEqual(["n2", "n3"]);
    await rig.until("the end without them", () => rig.isDone(root));
    for (const at of [2, 3]) {
      expect(rig.roster(at).roots.map(({ pin }) => pin)).not.toContain(root);
      rig.turnOn(at);
    }
    await rig.until("them to have followed", () => rig.isDone(root));
  });

  test("does not wait for a node that has used up what may be issued to it under the old root", async () => {
    const { folders, code } = await makeFolders(2);
    const rig = await RootRig.start(folders);
    const { id, certificate } = rig.node(1).identity;
    const renewed = () => rig.node(0).identity.seat.office.renew(id, certificate.request());
    let last = await renewed();
    while (last.ok) last = await renewed();
    expect(last.error).toMatchObject({ code: "limit-reached", message: expect.stringContaining("too many") });
    await rig.rotate(0, code);
    const root = rig.roster(0).rotation?.root ?? "";
    await rig.until("the end", () => rig.isDone(root));
  });

  test("twice: whoever missed both follows by two handovers", async () => {
    const { folders, code } = await makeFolders(3);
    const rig = await RootRig.start(folders, { off: [2] });
    const next = await rig.rotate(0, code, ["n2"]);
    await rig.until("the first one's end", () => rig.isDone(rig.roster(0).roots[0]?.pin ?? ""));
    await rig.rotate(0, next, ["n2"]);
    const root = rig.roster(0).rotation?.root ?? "";
    await rig.until("the second one's end", () => rig.isDone(root));
    rig.turnOn(2);
    await rig.until("n2 to have followed", () => rig.isDone(root));
    expect(rig.roster(2).handovers).toHaveLength(2);
  });
});

/** So that it can take over: its own signing key, with a certificate by the root. */
async function makeStandby(rig: RootRig, at: number, code: string): Promise<void> {
  const { identity } = rig.node(at);
  const { seat } = rig.node(0).identity;
  const root = unwrap(await openRootKey({ roster: rig.roster(0), code }));
  const { key } = unwrap(await identity.seat.pendingKey());
  unwrap(await addStandby(seat.office, identity.id, createCsr(key), root, wallTime(Date.now())));
  await rig.until("the standby", () => identity.seat.office.signer?.pin === spkiPin(createPublicKey(key)));
}

describe("the keymaster dies, and a standby takes over", () => {
  test.each(["announced", "issuing"])(
    "in phase %s: it drives on, with the certificate that all trust",
    async (phase) => {
      const { folders, code } = await makeFolders(4);
      const rig = await RootRig.start(folders);
      await makeStandby(rig, 1, code);
      rig.turnOff(3);
      await rig.rotate(0, code);
      const root = rig.roster(0).rotation?.root ?? "";
      await rig.until("n1 and n2 to hear of it", () =>
        [1, 2].every((at) => rig.roster(at).rotation !== undefined),
      );
      if (phase === "issuing") {
        await new Promise((resolve) => setTimeout(resolve, 60));
        rig.turnOff(2);
        rig.turnOn(3);
        await rig.until("the second phase", () => rig.roster(1).rotation?.phase === "issuing");
      }
      rig.turnOff(0);
      unwrap(await promoteStandby(rig.node(1).identity, wallTime(Date.now())));
      rig.node(1).rotation.stop();
      rig.node(1).rotation.start();
      for (const at of [2, 3]) rig.turnOn(at);
      await rig.until("all but n0", () => {
        const step = rig.node(1).rotation.step();
        return (
          step?.step === "wait" && step.for.length === 1 && step.for[0]?.node === rig.node(0).identity.id
        );
      });
      expect(rig.roster(1)).toMatchObject({ term: 3, generation: 2, keymaster: rig.node(1).identity.id });
      rig.turnOn(0);
      await rig.until("the end", () => rig.isDone(root));
      expect(rig.roster(0).keymaster).toBe(rig.node(1).identity.id);
      const { office } = rig.node(1).identity.seat;
      expect(rig.roster(1).succession.map(({ certificate }) => certificate)).toEqual([
        office.signer?.certificate,
      ]);
      for (const { identity } of rig.nodes)
        expect(verifiesUnder(rig.roster(1).roots[0]?.certificate ?? "", identity.certificatePem)).toBe(true);
    },
  );

  test("a standby whose signing certificate by the new root never reached its disk can take over all the same", async () => {
    const { folders, code } = await makeFolders(2);
    const rig = await RootRig.start(folders);
    await makeStandby(rig, 1, code);
    const file = join(folders[1] ?? "", "signer.crt");
    const old = readFileSync(file, "utf8");
    await rig.rotate(0, code);
    const root = rig.roster(0).rotation?.root ?? "";
    await rig.until("the end", () => rig.isDone(root) && readFileSync(file, "utf8") !== old);
    rig.close();
    writeFileSync(file, old, { mode: 0o600 });
    const again = await RootRig.start(folders, { off: [0] });
    unwrap(await promoteStandby(again.node(1).identity, wallTime(Date.now())));
    expect(again.roster(1)).toMatchObject({ term: 3, keymaster: again.node(1).identity.id });
    const { id, certificate } = again.node(1).identity;
    const chain = unwrap(await again.node(1).identity.seat.office.renew(id, certificate.request()));
    expect(verifiesUnder(again.roster(1).roots[0]?.certificate ?? "", chain)).toBe(true);
  });

  test("with the old root's code: the change stops, says why, and can be begun anew", async () => {
    const { folders, code } = await makeFolders(2);
    const rig = await RootRig.start(folders, { off: [1] });
    const oldFile = rig.roster(0).recovery;
    const next = await rig.rotate(0, code);
    const root = unwrap(await openRootKey({ roster: rig.roster(0), code, recovery: oldFile }));
    const opened = await promoteByRoot(rig.node(0).identity, root, wallTime(Date.now()));
    unwrap(opened);
    const status = await rig.node(0).handlers["root-status"]({});
    expect(status).toMatchObject({
      phase: "blocked",
      problem: expect.stringContaining("the old root's recovery code"),
    });
    rig.turnOn(1);
    await rig.until("n1 to hear of it", () => rig.roster(1).rotation !== undefined);
    expect(rig.roster(0).roots).toHaveLength(2);
    await rig.rotate(0, next);
    const last = rig.roster(0).rotation?.root ?? "";
    await rig.until("the end of the second one", () => rig.isDone(last));
  });
});

describe("what is refused leaves all as it was", () => {
  test("a wrong code, a mistyped one, one of before, an unknown node, the keymaster, a second one beside the first", async () => {
    const { folders, code } = await makeFolders(2);
    const rig = await RootRig.start(folders);
    const { handlers } = rig.node(0);
    const rotate = (typed: string, waive: string[] = []) => handlers["root-rotate"]({ code: typed, waive });
    const { ticket, recoveryCode } = await handlers["recovery-renew"]({ code });
    await handlers["offer-take"]({ ticket });
    const hash = rig.node(0).identity.keeper.current().hash;
    const invalid = expect.objectContaining({
      failure: expect.objectContaining({ code: "recovery-invalid" }),
    });
    await expect(rotate(code)).rejects.toEqual(invalid);
    const mistyped = `${recoveryCode.slice(0, 6)}${recoveryCode[6] === "A" ? "B" : "A"}${recoveryCode.slice(7)}`;
    await expect(rotate(mistyped)).rejects.toThrow("group 2 is mistyped");
    await expect(rotate(recoveryCode, ["zz"])).rejects.toThrow("no node zz");
    await expect(rotate(recoveryCode, ["n0"])).rejects.toThrow("n0 is the keymaster");
    await expect(handlers["root-waive"]({ nodes: ["n1"] })).rejects.toThrow(
      "no change of roots is under way",
    );
    await expect(rig.node(1).handlers["root-rotate"]({ code: recoveryCode, waive: [] })).rejects.toThrow(
      "n1 is not the keymaster",
    );
    expect(rig.node(0).identity.keeper.current().hash).toBe(hash);
    rig.turnOff(1);
    await rig.rotate(0, recoveryCode);
    await expect(rotate(recoveryCode)).rejects.toThrow("under way already");
  });

  test("a code that was shown and never made to count opens nothing, and the one before still does", async () => {
    const { folders, code } = await makeFolders(1);
    const rig = await RootRig.start(folders);
    const { handlers } = rig.node(0);
    const first = await handlers["root-rotate"]({ code, waive: [] });
    const second = await handlers["recovery-renew"]({ code });
    await expect(handlers["offer-take"]({ ticket: first.ticket })).rejects.toThrow("opens nothing");
    expect([await opens(rig.roster(0), first.recoveryCode), await opens(rig.roster(0), code)]).toEqual([
      false,
      true,
    ]);
    await handlers["offer-take"]({ ticket: second.ticket });
    await expect(handlers["offer-take"]({ ticket: second.ticket })).rejects.toThrow("opens nothing");
    expect(await opens(rig.roster(0), second.recoveryCode)).toBe(true);
  });
});

test("a keymaster that starts in the middle of a long change gets to know the others before it tells whom it waits for", async () => {
  const { folders, code } = await makeFolders(3);
  const first = await RootRig.start(folders, { off: [2] });
  await first.rotate(0, code);
  first.close();
  const rig = await RootRig.start(folders, { off: [0, 1, 2], aheadMs: hours(2) });
  const { late } = rig.node(0);
  rig.turnOn(0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(late).toEqual([]);
  rig.turnOn(1);
  rig.aheadMs += minutes(5);
  await rig.until("it to be told", () => late.length > 0);
  expect(late).toMatchObject([{ words: "waits for n2: it cannot be reached" }]);
});

test("a crash of the keymaster after any write: it goes on from there, or nothing has happened", async () => {
  const { folders, code } = await makeFolders(3);
  const base = await temporaryFolder();
  const crashes: { readonly step: string; readonly folders: string[] }[] = [];
  let isWatched = false;
  const original = await RootRig.start(folders, {
    checkpoint: (step) => {
      if (!isWatched) return;
      crashes.push({ step, folders: copyNow(folders, join(base, String(crashes.length))) });
    },
  });
  isWatched = true;
  const next = await original.rotate(0, code);
  const root = original.roster(0).rotation?.root ?? "";
  await original.until("the end", () => original.isDone(root));
  isWatched = false;
  original.close();
  const written = crashes.map(({ step }) => step);
  // The announcement, the signer's certificate, the second phase, this node's certificate, the end.
  for (const file of ["roster.json", "signer.crt", "node.crt", "recovery.balefire"])
    expect(written).toContain(`renamed ${file}`);
  expect(written.filter((step) => step === "renamed roster.json").length).toBeGreaterThanOrEqual(3);
  const outcomes: { step: string; isAnnounced: boolean; isWhole: boolean }[] = [];
  const goOnFrom = async ({ step, folders: copies }: (typeof crashes)[number]): Promise<void> => {
    const rig = await RootRig.start(copies);
    const isAnnounced = rig.roster(0).generation === 2;
    if (isAnnounced) await rig.until(`the end after ${step}`, () => rig.isDone(root));
    const roster = rig.roster(0);
    const isWhole = isAnnounced
      ? (await opens(roster, next)) && roster.roots.length === 1
      : (await opens(roster, code)) && roster.rotation === undefined;
    await rig.until("the file to be the roster's", () =>
      readFileSync(join(copies[0] ?? "", "recovery.balefire"), "utf8").includes(
        roster.recovery?.sealed ?? "-",
      ),
    );
    rig.close();
    outcomes.push({ step, isAnnounced, isWhole });
  };
  const work = async (): Promise<void> => {
    for (let crash = crashes.pop(); crash !== undefined; crash = crashes.pop()) await goOnFrom(crash);
  };
  await Promise.all([work(), work(), work(), work()]);
  expect(outcomes.filter(({ isWhole }) => !isWhole)).toEqual([]);
  expect(new Set(outcomes.map(({ isAnnounced }) => isAnnounced))).toEqual(new Set([true, false]));
}, 60_000);

test("a node that crashes between its new certificate's issue and its disk asks again, and is waited for", async () => {
  const { folders, code } = await makeFolders(3);
  const rig = await RootRig.start(folders, { off: [2] });
  await rig.rotate(0, code);
  const root = rig.roster(0).rotation?.root ?? "";
  const before = await snapshot(folders.slice(2));
  rig.turnOn(2);
  await rig.until("the end", () => rig.isDone(root));
  rig.close();
  // Its disk is as it was before it heard of anything; the keymaster's says that it has a certificate.
  const again = await RootRig.start([...folders.slice(0, 2), ...before]);
  await again.until("it to have followed", () => again.isDone(root));
});
