/**
 * The root key's code and the change of roots as the runbooks have them, with real daemons. Under load, and
 * with kills at every step: `npm run lab -- rotation`.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { type Finished, runToEnd } from "../../lab/driver/child.ts";
import { until } from "../../lab/driver/clock.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { messageIn } from "../../lab/driver/message.ts";
import { namespaceNetwork, whyNoNamespaces } from "../../lab/driver/namespaces.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";
import { issueRoot } from "../../src/adapters/pki/issue.ts";
import { generateKey } from "../../src/adapters/pki/keys.ts";
import { openRecovery, sealRecovery } from "../../src/adapters/pki/recovery.ts";
import { StateFolder } from "../../src/adapters/state/folder.ts";
import { WRONG_CODE_PAUSE } from "../../src/daemon/root-key.ts";
import { RECOVERY_STATE_FILE, ROSTER_FILE } from "../../src/daemon/state-files.ts";
import { unwrap } from "../../src/kit/result.ts";
import { wallTime } from "../../src/kit/time.ts";
import type { RecoveryFile } from "../../src/wire/recovery-file.ts";
import type { RecoveryVerifyReport, RootStatusReport } from "../../src/wire/root-reports.ts";
import { encodeSigned, parseSigned, type Roster } from "../../src/wire/roster.ts";
import { Openssl } from "../contract/openssl.ts";
import { runbookCommand } from "./runbook.ts";

/** a signs and is killed once; c is off for a while; d throughout, and is removed meanwhile. */
const NAMES = ["a", "b", "c", "d"];
const WAIT_MS_MAX = 40_000;
const DEGRADED = 3;
/** What must be concluded of nobody who was not killed. */
const FALSE_VERDICTS = /^(host-down|daemon-down|unreachable|link-problem|missing)$/;
let mesh: Mesh;
/** All that any command of this test has printed, but for the one place where a code belongs. */
let printed = "";
/** Every code there was. */
const codes: string[] = [];
const keys: Buffer[] = [];

const command = async (name: string, input: string, ...words: readonly string[]): Promise<Finished> => {
  const { env } = mesh.daemon(name);
  const done = await runToEnd([...FROM_SOURCE, ...words], { env, input, timeoutMs: 60_000 });
  printed += done.stdout + done.stderr;
  return done;
};
/** Takes the code out of what was printed. */
const newCode = async (name: string, input: string, ...words: readonly string[]): Promise<string> => {
  const before = printed;
  const done = await command(name, input, ...words);
  expect(done).toMatchObject({ code: 0 });
  const [code = ""] = /^ {4}[0-9A-HJKMNP-TV-Z-]{41}$/m.exec(done.stdout) ?? [];
  printed = before + (done.stdout + done.stderr).replace(code.trim(), "");
  codes.push(code.trim());
  await rememberKey(code.trim());
  return code.trim();
};
const rosterOf = async (name: string): Promise<Roster> => {
  const signed = unwrap(await new StateFolder(mesh.daemon(name).stateFolder).readJson(ROSTER_FILE));
  if (signed === undefined) throw new Error(`${name} has no roster`);
  return unwrap(parseSigned(encodeSigned(signed))).roster;
};
const rememberKey = async (code: string): Promise<void> => {
  const { recovery } = await rosterOf("a");
  const { key } = unwrap(await openRecovery(recovery as RecoveryFile, code));
  const { d = "" } = key.export({ format: "jwk" });
  keys.push(Buffer.from(d, "base64url"));
};
const status = (name: string): Promise<RootStatusReport> => mesh.daemon(name).control.call("root-status", {});
const phaseIs = (phase: string, ...waiting: string[]): Promise<true> =>
  until(`phase ${phase}, waiting for ${waiting.join(", ") || "nobody"}`, WAIT_MS_MAX, async () => {
    const now = await status("a");
    const names = now.waiting.map(({ node }) => node).sort();
    return now.phase === phase && names.join() === waiting.join() ? true : undefined;
  });
beforeAll(async () => {
  const isAlone = whyNoNamespaces() === undefined;
  mesh = await Mesh.form({
    names: NAMES,
    network: isAlone ? namespaceNetwork(NAMES.length) : loopbackNetwork(),
    balefire: FROM_SOURCE,
    ...(isAlone ? {} : { port: 18_754 }),
    // The same few daemons are killed again and again here.
    policy: { flap: "off" },
  });
  codes.push(mesh.recoveryCode);
  await rememberKey(mesh.recoveryCode);
}, 120_000);
afterAll(() => mesh.close());

describe("recovery", () => {
  const forgotten = "forgotten-recovery-code";
  const verify = runbookCommand(forgotten, "recovery verify");

  test("verify proves a code on any node, with and without a file; what is mistyped is named", async () => {
    const proven = await command("c", `${mesh.recoveryCode.toLowerCase()}\n`, ...verify, "--json");
    const { roots, mesh: id } = await rosterOf("c");
    const report = JSON.parse(proven.stdout) as RecoveryVerifyReport;
    expect(report).toEqual({ schema: 1, source: "roster", mesh: id, root: roots[0]?.pin, trusted: true });
    const file = join(mesh.daemon("a").stateFolder, "recovery.balefire");
    const other = runbookCommand(forgotten, "recovery verify --recovery-file", {
      "/media/usb/recovery.balefire": file,
    });
    const byFile = await command("c", mesh.recoveryCode, ...other);
    expect(byFile).toMatchObject({ code: 0, stdout: expect.stringContaining(`The code opens ${file}.`) });
    const groups = mesh.recoveryCode.split("-");
    const mistyped = [
      ...groups.slice(0, 2),
      `${groups[2]?.[1]}${groups[2]?.[0]}000`,
      ...groups.slice(3),
    ].join("-");
    const named = await command("c", mistyped, ...verify);
    expect(named).toMatchObject({ code: 1, stderr: expect.stringContaining("group 3 is mistyped") });
  });

  test("renew prints a code that opens what every host holds from then on; the old one costs time", async () => {
    const renew = runbookCommand(forgotten, "recovery renew");
    const elsewhere = await command("b", mesh.recoveryCode, ...renew);
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining("Run this on a.") });
    const next = await newCode("a", mesh.recoveryCode, ...renew);
    await until("d to have it", WAIT_MS_MAX, async () =>
      (await rosterOf("d")).recovery?.sealed === (await rosterOf("a")).recovery?.sealed ? true : undefined,
    );
    expect(await command("d", next, ...verify)).toMatchObject({ code: 0 });
    const began = Date.now();
    expect(await command("d", mesh.recoveryCode, ...verify)).toMatchObject({ code: 1 });
    expect(Date.now() - began).toBeGreaterThan(WRONG_CODE_PAUSE);
  });
});

describe("a change of roots", () => {
  const runbook = "root-compromise";

  test("waits for who is off, says so everywhere, goes on when its driver was killed; nobody is called dead", async () => {
    const [old] = (await rosterOf("a")).roots;
    const from = { notices: mesh.notices.length, deliveries: mesh.receiver.deliveries.length };
    const oldFile = readFileSync(join(mesh.daemon("a").stateFolder, "recovery.balefire"), "utf8");
    for (const name of ["c", "d"]) await mesh.perform("stop", name);
    const waive = runbookCommand(runbook, "root rotate --waive", { pve3: "d" });
    const code = await newCode("a", codes.at(-1) ?? "", ...waive);
    await phaseIs("announced", "c");
    const again = await command("a", codes.at(-1) ?? "", ...runbookCommand(runbook, "root rotate"));
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("under way already") });
    const shown = await command("b", "", ...runbookCommand(runbook, "root status"));
    expect(shown.stdout.match(/^Waiting for .*$/gm)).toEqual(["Waiting for c: it cannot be reached."]);
    expect(shown.stdout).toMatch(/^Not waited for: d\.$/m);
    expect((await mesh.daemon("b").control.call("doctor", {})).findings).toContainEqual(
      expect.objectContaining({
        check: "change of roots",
        finding: expect.stringContaining("it waits for c (it cannot be reached)"),
      }),
    );
    await mesh.perform("kill", "a");
    await mesh.perform("revive", "a");
    await phaseIs("announced", "c");
    const removed = await command("a", "", ...runbookCommand(runbook, "node remove", { pve3: "d" }));
    expect(removed).toMatchObject({ code: 0 });
    await mesh.perform("revive", "c");
    await phaseIs("none");

    const root = (await status("a")).roots[0]?.pin;
    expect(root).not.toBe(old?.pin);
    const left = NAMES.filter((name) => name !== "d");
    await until("everyone to trust the new root alone", WAIT_MS_MAX, async () => {
      const roots = await Promise.all(left.map(async (name) => (await status(name)).roots));
      return roots.every((each) => each.length === 1 && each[0]?.pin === root) ? true : undefined;
    });
    const [only] = (await rosterOf("a")).roots;
    await until("everyone to show a chain to it", WAIT_MS_MAX, async () => {
      const chains = await Promise.all(left.map(presentedBy));
      return chains.every((chain) => verifies(only?.certificate ?? "", chain)) ? true : undefined;
    });
    for (const name of left) expect(verifies(old?.certificate ?? "", await presentedBy(name))).toBe(false);
    await mesh.settled();

    const isOther = (name: unknown): boolean => name !== "a";
    const verdicts = mesh.notices
      .slice(from.notices)
      .filter(
        ({ event }) => event.event === "verdict" && isOther(event.name) && FALSE_VERDICTS.test(`${event.to}`),
      );
    expect(verdicts.map(({ observer, event }) => `${observer}: ${event.name} ${event.to}`)).toEqual([]);
    const told = mesh.receiver.deliveries.slice(from.deliveries).map((each) => messageIn(each));
    expect(told.filter((message) => message?.subjects.some(({ name }) => isOther(name)))).toEqual([]);

    expect(oldFile).not.toBe(readFileSync(join(mesh.daemon("a").stateFolder, "recovery.balefire"), "utf8"));
    const kept = runbookCommand(runbook, "recovery verify");
    expect(await command("c", code, ...kept)).toMatchObject({ code: 0 });
  }, 110_000);

  test("whoever was left out and removed meanwhile learns both, and joins anew", async () => {
    const d = mesh.daemon("d");
    await d.run().catch(() => undefined);
    await until("d to have ended", WAIT_MS_MAX, () => (d.state === "off" ? true : undefined));
    expect(d.logTail()).toContain("was removed from its mesh");
    const { token } = await mesh
      .daemon("a")
      .control.call("token-create", { name: "d", expiresMs: 3_600_000 });
    await d.cli("join", token, "--via", mesh.daemon("b").address, ...d.addressFlags, "--json");
    await d.run();
    await mesh.settled();
    expect((await status("d")).roots).toEqual((await status("a")).roots);
  });
});

test("an old copy of the recovery file still opens, and is said to be worth nothing", async () => {
  const file = join(mesh.daemon("a").folder, "old.balefire");
  const key = generateKey();
  const { mesh: id } = await rosterOf("a");
  const other = { mesh: id, key, certificate: await issueRoot(id, key, wallTime(Date.now())) };
  const [code = ""] = codes;
  const folder = new StateFolder(mesh.daemon("a").folder);
  unwrap(
    await folder.writeJson({ ...RECOVERY_STATE_FILE, name: "old.balefire" }, await sealRecovery(other, code)),
  );
  const verified = await command("a", code, "recovery", "verify", "--recovery-file", file);
  expect(verified).toMatchObject({
    code: DEGRADED,
    stdout: expect.stringContaining("does not trust that root"),
  });
});

test("no state, log or output has ever held a code or a root key", () => {
  const secrets = [
    ...codes.flatMap((code) => [code, code.replaceAll("-", "")]).map((text) => Buffer.from(text)),
    ...keys.flatMap((key) => [
      key,
      Buffer.from(key.toString("hex")),
      Buffer.from(key.toString("base64url")),
      // Within a PEM text the 32 bytes begin at any of three places of a base64 group.
      ...[0, 1, 2].map((skip) => Buffer.from(key.subarray(skip, skip + 27).toString("base64"))),
    ]),
  ];
  expect([codes.length, keys.length]).toEqual([3, 3]);
  const texts = [
    ["what commands printed", Buffer.from(printed)] as const,
    ...mesh.daemons.flatMap(({ folder }) => filesIn(folder)),
  ];
  expect(texts.length).toBeGreaterThan(NAMES.length * 5);
  for (const [where, text] of texts)
    for (const secret of secrets) expect(text.includes(secret), where).toBe(false);
});

function filesIn(folder: string): (readonly [string, Buffer])[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => [path, readFileSync(path)] as const);
}

async function presentedBy(name: string): Promise<string> {
  const place = NAMES.indexOf(name);
  const client = ["openssl", "s_client", "-connect", mesh.daemon(name).address];
  const words = [...client, "-alpn", "balefire/1", "-showcerts"];
  const { stdout } = await runToEnd(mesh.network.inside(place, words), { timeoutMs: 15_000 });
  return stdout.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g)?.join("") ?? "";
}

function verifies(root: string, chain: string): boolean {
  const openssl = new Openssl();
  const [leaf = "", signers = ""] =
    chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
  const { ok } = openssl.verify({ roots: root, signers, leaf });
  openssl.close();
  return ok;
}
