/** The loss of the keymaster, with real daemons: a standby, the recovery code, and the old one's return. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { type Finished, runToEnd } from "../../lab/driver/child.ts";
import { machineMs, until } from "../../lab/driver/clock.ts";
import { Daemon } from "../../lab/driver/daemon.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";
import { keyPem } from "../../src/adapters/pki/keys.ts";
import { openRecovery } from "../../src/adapters/pki/recovery.ts";
import { generateRecoveryCode } from "../../src/adapters/pki/recovery-code.ts";
import { StateFolder } from "../../src/adapters/state/folder.ts";
import { ROSTER_FILE } from "../../src/daemon/state-files.ts";
import { unwrap } from "../../src/kit/result.ts";
import type { KeymasterShowReport } from "../../src/wire/keymaster-reports.ts";
import { encodeSigned, parseSigned } from "../../src/wire/roster.ts";
import type { TokenCreateReport } from "../../src/wire/rpc.ts";
import { runbookCommand } from "./runbook.ts";

const NAMES = ["a", "b", "c", "d"];
/** What the runbook has people type. */
const typed = (beginning: string, names: Readonly<Record<string, string>> = {}): readonly string[] =>
  runbookCommand("lost-keymaster", beginning, names);
const PORT = 17_872;
const WAIT_MS_MAX = 30_000;
/** Within this of the first contact a key is void. */
const VOID_MS_MAX = 1000;
/** Within this of a promotion every certificate holds again. */
const HEAL_MS_MAX = 10_000;
const SHORT_LIFE = { BALEFIRE_TEST_LEAF_LIFE: "6s" };
let mesh: Mesh;
const more: Daemon[] = [];

const command = (daemon: Daemon, words: readonly string[], input = ""): Promise<Finished> =>
  runToEnd([...FROM_SOURCE, ...words], { env: daemon.env, timeoutMs: 60_000, input });
const show = (name: string): Promise<KeymasterShowReport> =>
  mesh.daemon(name).control.call("keymaster-show", {});
const keymasterOf = async (daemon: Daemon): Promise<string> =>
  (await daemon.control.call("keymaster-show", {})).keymaster.node;

/** A host beside the mesh's first four, joined through one of its nodes. */
async function joined(name: string, through: Daemon, keymaster: Daemon): Promise<Daemon> {
  const place = NAMES.length + more.length;
  const daemon = new Daemon({
    name,
    addresses: [`127.0.0.${place + 1}:${PORT}`],
    folder: join(mesh.daemon("a").folder, "..", name),
    balefire: FROM_SOURCE,
    config: JSON.stringify({
      channels: [{ name: "phone", type: "webhook", url: mesh.receiver.url }],
      http: { listen: "off" },
    }),
    inside: (argv) => argv,
  });
  more.push(daemon);
  const made = JSON.parse(await keymaster.cli("token", "create", name, "--json")) as TokenCreateReport;
  await daemon.cli("join", made.token, "--via", through.address, ...daemon.addressFlags, "--json");
  await daemon.run();
  return daemon;
}

beforeAll(async () => {
  mesh = await Mesh.form({
    names: NAMES,
    network: loopbackNetwork(),
    balefire: FROM_SOURCE,
    port: PORT,
    policy: { flap: "off" },
  });
}, 120_000);
afterAll(async () => {
  await Promise.all(more.map((daemon) => daemon.kill()));
  await mesh.close();
});

describe("a standby", () => {
  test("is added with the code, which a wrong one is refused for, and says who may take over", async () => {
    const words = typed("keymaster standby add", { pve2: "b" });
    const begun = machineMs();
    const another = generateRecoveryCode();
    expect(await command(mesh.daemon("a"), words, `${another}\n`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the code does not open this recovery file"),
    });
    expect(await command(mesh.daemon("a"), words, "00000-".repeat(7).slice(0, -1))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("not a recovery code: group"),
    });
    expect(machineMs() - begun).toBeGreaterThan(1000);
    const added = await command(mesh.daemon("a"), words, `${mesh.recoveryCode}\n`);
    expect(added).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^b is a standby\.\nStandbys: b\.\n/),
    });
    const again = await command(mesh.daemon("a"), words, `${mesh.recoveryCode}\n`);
    expect(again.stdout).toContain("b is a standby already.");
    for (const name of NAMES) expect((await show(name)).standbys).toMatchObject([{ node: "b" }]);
    expect((await show("b")).self).toBe("standby");
    expect(await command(mesh.daemon("c"), words, mesh.recoveryCode)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("c is not the keymaster, a is"),
    });
  });

  test("takes over while the keymaster is gone; what that one had signed unheard is listed, and holds once confirmed", async () => {
    const [a, b] = [mesh.daemon("a"), mesh.daemon("b")];
    for (const name of ["b", "c", "d"]) await mesh.daemon(name).stop();
    const e = await joined("e", a, a);
    await e.kill();
    await a.kill();
    for (const name of ["b", "c", "d"]) await mesh.daemon(name).run();
    const promoted = await command(b, typed("keymaster promote"));
    expect(promoted).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("b is the keymaster.\nVoid: the signing key of a."),
    });
    expect(promoted.stderr).toContain("Join tokens made before are void");
    const from = mesh.notices.length;
    await e.run();
    await a.run();
    await until("a to step down", WAIT_MS_MAX, async () =>
      (await keymasterOf(a)) === "b" ? true : undefined,
    );
    const [lost] = await until("b to list what a had signed", WAIT_MS_MAX, async () => {
      const { setAside } = await show("b");
      return setAside.length > 0 ? setAside : undefined;
    });
    expect(lost).toMatchObject({ signer: { node: "a" }, changes: [{ what: "admitted", node: "e" }] });
    // Nobody speaks with e, and it holds nobody for dead.
    await until("e to wait", WAIT_MS_MAX, async () =>
      (await e.control.call("keymaster-show", {})).self === "waiting" ? true : undefined,
    );
    await e.kill();
    await e.run();
    expect((await e.status()).problems.join()).toContain("waits to be confirmed");
    expect((await e.control.call("doctor", {})).findings).toContainEqual(
      expect.objectContaining({ level: "failed", finding: expect.stringContaining("no roster that counts") }),
    );
    const told = mesh.receiver.deliveries.length;
    expect(mesh.notices.slice(from).filter(({ observer }) => observer === "e")).toEqual([]);
    const confirmed = await command(b, typed("keymaster confirm", { "0badcafe": lost?.id ?? "" }));
    expect(confirmed).toMatchObject({ code: 0, stdout: expect.stringContaining("let in e") });
    await until("e to be back", WAIT_MS_MAX, async () => {
      const report = await e.status();
      return report.isolated || report.nodes.some(({ verdict }) => verdict !== "alive") ? undefined : true;
    });
    expect(mesh.receiver.deliveries.slice(told)).toEqual([]);
    expect((await show("b")).setAside).toEqual([]);
    await mesh.settled();
  });
});

/** The moment the daemon hears any of the others, and the one when it goes by another's rosters. */
async function steppingDown(daemon: Daemon, keymaster: string): Promise<{ contact: number; voided: number }> {
  let contact: number | undefined;
  const voided = await until(
    `${daemon.name} to step down`,
    WAIT_MS_MAX,
    async () => {
      const report = await daemon.status();
      const isInTouch = report.nodes.some(({ path }) => path === "datagram" || path === "stream");
      if (isInTouch) contact ??= machineMs();
      return (await keymasterOf(daemon)) === keymaster ? machineMs() : undefined;
    },
    5,
  );
  return { contact: contact ?? voided, voided };
}

describe("the recovery code", () => {
  test("makes a plain node keymaster; the old one steps down within a second of contact, its tokens void", async () => {
    const [b, c] = [mesh.daemon("b"), mesh.daemon("c")];
    const token = JSON.parse(await b.cli("token", "create", "g", "--json")) as TokenCreateReport;
    await b.kill();
    expect(await command(c, ["keymaster", "promote"], "\n")).toMatchObject({ code: 2 });
    const promoted = await command(c, [...typed("keymaster promote"), "--json"], `${mesh.recoveryCode}\n`);
    expect(JSON.parse(promoted.stdout)).toMatchObject({
      keymaster: "c",
      before: "b",
      openedBy: "root",
      generation: 2,
      standbys: [],
      voided: ["b"],
      waiting: ["b"],
    });
    await b.run();
    const { contact, voided } = await steppingDown(b, "c");
    expect(voided - contact).toBeLessThan(VOID_MS_MAX);
    expect((await show("d")).voided.map(({ node }) => node).sort()).toEqual(["a", "b"]);
    expect(await command(b, ["keymaster", "promote"], "")).toMatchObject({ code: 2 });
    expect(await command(b, ["token", "list"])).toMatchObject({ code: 1 });
    await mesh.settled();
    const f = await joined("f", mesh.daemon("d"), c);
    expect(await keymasterOf(f)).toBe("c");
    expect(token.name).toBe("g");
  }, 60_000);

  test("heals certificates that ended while there was no keymaster, within ten seconds", async () => {
    const [c, d] = [mesh.daemon("c"), mesh.daemon("d")];
    await c.stop();
    await c.run(SHORT_LIFE);
    for (const name of NAMES)
      await until(`${name} to be renewed`, WAIT_MS_MAX, () =>
        mesh
          .daemon(name)
          .control.call("certs-renew", {})
          .then(
            () => true,
            () => undefined,
          ),
      );
    await c.kill();
    const own = async (name: string): Promise<string> => {
      const { certificates } = await mesh.daemon(name).control.call("certs", {});
      return certificates.find(({ node }) => node === name)?.state ?? "unknown";
    };
    const all = (state: string, names: readonly string[]) => async () =>
      (await Promise.all(names.map(own))).every((each) => each === state) ? true : undefined;
    await until("all certificates to be over", WAIT_MS_MAX, all("expired", ["a", "b", "d"]));
    const begun = machineMs();
    const promoted = await command(d, typed("keymaster promote --with-code"), `${mesh.recoveryCode}\n`);
    expect(promoted.code).toBe(0);
    await until("all to be healed", HEAL_MS_MAX, all("valid", ["a", "b", "d"]));
    expect(machineMs() - begun).toBeLessThan(HEAL_MS_MAX);
    await c.run();
    await until("c to be healed as well", WAIT_MS_MAX, all("valid", NAMES));
    await mesh.settled();
  }, 90_000);
});

describe("a planned hand-over", () => {
  test("moves the keymaster to a standby and back, and nothing is voided or told", async () => {
    const [a, d] = [mesh.daemon("a"), mesh.daemon("d")];
    const from = mesh.receiver.deliveries.length;
    const voided = (await show("d")).voided.length;
    expect(await command(d, ["keymaster", "move", "a"])).toMatchObject({ code: 1 });
    const added = await command(d, typed("keymaster standby add", { pve2: "a" }), `${mesh.recoveryCode}\n`);
    expect(added.code).toBe(0);
    const moved = await command(d, typed("keymaster move", { pve2: "a" }));
    expect(moved).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^a is the keymaster\.\nStandbys: d\./),
    });
    expect(await Promise.all(NAMES.map(async (name) => (await show(name)).keymaster.node))).toEqual(
      NAMES.map(() => "a"),
    );
    expect((await show("d")).self).toBe("standby");
    expect((await command(a, ["keymaster", "move", "d"])).code).toBe(0);
    expect((await command(d, typed("keymaster standby remove", { pve2: "a" }))).stdout).toContain(
      "its signing key is void",
    );
    expect((await show("b")).voided).toHaveLength(voided + 1);
    expect(await command(a, ["keymaster", "promote"], "")).toMatchObject({ code: 2 });
    expect(mesh.receiver.deliveries.slice(from)).toEqual([]);
  }, 60_000);
});

/** A part of a private key as it would stand in a file or a log. */
const traceOf = (pem: string): string => pem.split("\n")[1] ?? "no key";

test("no private key is where it was not made, the root's nowhere, and the code in no file and no log", async () => {
  const code = mesh.recoveryCode.replaceAll("-", "");
  const { roster } = unwrap(
    parseSigned(
      encodeSigned(
        unwrap(await new StateFolder(mesh.daemon("a").stateFolder).readJson(ROSTER_FILE)) ?? never(),
      ),
    ),
  );
  const root = unwrap(await openRecovery(roster.recovery ?? never(), mesh.recoveryCode));
  const traces = new Map<string, string>([["the root", traceOf(keyPem(root.key))]]);
  for (const daemon of [...mesh.daemons, ...more])
    for (const file of ["node.key", "signer.key"])
      if (existsSync(join(daemon.stateFolder, file)))
        traces.set(`${daemon.name}'s ${file}`, traceOf(readFileSync(join(daemon.stateFolder, file), "utf8")));
  expect(traces.size).toBeGreaterThan(8);
  for (const daemon of [...mesh.daemons, ...more]) {
    const files = readdirSync(daemon.stateFolder).map((file) => join(daemon.stateFolder, file));
    for (const file of [...files, join(daemon.folder, "run.log")]) {
      const text = readFileSync(file, "latin1");
      expect(text.replaceAll("-", "")).not.toContain(code);
      for (const [whose, trace] of traces)
        if (
          file !== join(daemon.stateFolder, whose.split(" ").at(-1) ?? "") ||
          !whose.startsWith(daemon.name)
        )
          expect(text.includes(trace), `${whose} in ${file}`).toBe(false);
    }
  }
});

function never(): never {
  throw new Error("it is not there");
}
