/** The life of certificates and members, with real daemons: renewal, its failure, removal and return. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { type Finished, runToEnd } from "../../lab/driver/child.ts";
import { machineMs, sleep, until } from "../../lab/driver/clock.ts";
import type { Daemon } from "../../lab/driver/daemon.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { messageIn } from "../../lab/driver/message.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";
import type { CertificateReport } from "../../src/wire/key-reports.ts";
import type { TokenCreateReport } from "../../src/wire/rpc.ts";
import { runbookCommand } from "./runbook.ts";

const NAMES = ["a", "b", "c", "d", "e"];
const PORT = 17_854;
/** The clock of a real daemon cannot be moved, so certificates are made short. */
const SHORT_LIFE = { BALEFIRE_TEST_LEAF_LIFE: "20s" };
const WAIT_MS_MAX = 30_000;
/** Within this a removed peer is cut everywhere. */
const CUT_MS_MAX = 1000;
const EXIT_REMOVED = 5;
const LATE = "expired-certificate";
let mesh: Mesh;

const command = (daemon: Daemon, ...words: readonly string[]): Promise<Finished> =>
  runToEnd([...FROM_SOURCE, ...words], { env: daemon.env, timeoutMs: 60_000 });
const certs = async (name: string): Promise<readonly CertificateReport[]> =>
  (await mesh.daemon(name).control.call("certs", {})).certificates;
const ownCert = async (name: string): Promise<CertificateReport> => {
  const found = (await certs(name)).find(({ node }) => node === name);
  if (found === undefined) throw new Error(`${name} does not know its own certificate`);
  return found;
};
const serialOf = async (name: string): Promise<string> => (await ownCert(name)).serial ?? "";
const restartWith = async (name: string, env: NodeJS.ProcessEnv): Promise<void> => {
  await mesh.daemon(name).kill();
  await mesh.daemon(name).run(env);
};

beforeAll(async () => {
  mesh = await Mesh.form({
    names: NAMES,
    network: loopbackNetwork(),
    balefire: FROM_SOURCE,
    port: PORT,
    // The same few daemons are killed again and again here.
    policy: { flap: "off" },
  });
}, 120_000);
afterAll(() => mesh.close());

/** Incidents and verdicts that would tell of somebody's absence. */
const alarms = (from: number): string[] =>
  mesh.notices
    .slice(from)
    .filter(({ event }) => event.event === "verdict" || event.event === "incident")
    .map(({ observer, event }) => `${observer}: ${event.name} ${event.to ?? event.kind}`)
    .filter((text) => !/ (alive|suspect|unknown)$/.test(text));

describe("renewal", () => {
  test("certs shows every node's certificate on every node, and none of them wants attention", async () => {
    for (const name of NAMES) {
      const known = await certs(name);
      expect(known.map(({ node }) => node).sort()).toEqual(NAMES);
      for (const each of known) expect(each).toMatchObject({ state: "valid" });
      expect(known.find(({ node }) => node === name)).toMatchObject({ source: "own", lastTry: null });
    }
    const printed = await command(mesh.daemon("b"), ...runbookCommand(LATE, "certs"), "--json");
    expect(printed.code).toBe(0);
    const document = JSON.parse(printed.stdout) as { certificates: CertificateReport[] };
    expect(Object.keys(document)).toEqual(["schema", "certificates"]);
    for (const { node, serial, notAfter, state } of document.certificates)
      expect([node, serial, notAfter, state].every((each) => typeof each === "string")).toBe(true);
  });

  test("by hand gives another certificate for the same key, for this node and for another", async () => {
    const before = [await serialOf("b"), await serialOf("c"), await serialOf("a")];
    const own = runbookCommand(LATE, "certs renew");
    const others = runbookCommand(LATE, "certs renew pve2", { pve2: "c" });
    for (const [from, words] of [["b", own] as const, ["b", others] as const, ["a", own] as const])
      expect(await command(mesh.daemon(from), ...words, "--json")).toMatchObject({ code: 0 });
    const after = [await serialOf("b"), await serialOf("c"), await serialOf("a")];
    for (const [at, serial] of after.entries()) expect(serial).not.toBe(before[at]);
    expect(alarms(0)).toEqual([]);
  });

  test("for a node that does not exist is refused by name", async () => {
    const refused = await command(mesh.daemon("b"), "certs", "renew", "zz");
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("the mesh has no node zz") });
  });

  test("goes on by itself, again and again, while everyone stays alive to everyone", async () => {
    await restartWith("a", SHORT_LIFE);
    for (const name of NAMES) {
      await until(`${name} to be renewed`, WAIT_MS_MAX, () =>
        mesh
          .daemon(name)
          .control.call("certs-renew", {})
          .then(
            () => true,
            () => undefined,
          ),
      );
    }
    await mesh.settled();
    const from = mesh.notices.length;
    const serials = new Map<string, Set<string>>(NAMES.map((name) => [name, new Set()]));
    await until("everyone to be renewed twice by themselves", 90_000, async () => {
      for (const name of NAMES) serials.get(name)?.add(await serialOf(name));
      return [...serials.values()].every(({ size }) => size >= 3) ? true : undefined;
    });
    expect(alarms(from)).toEqual([]);
    const file = readFileSync(join(mesh.daemon("e").folder, "state/node.crt"), "utf8");
    expect(file.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    for (const report of await mesh.settled()) expect(report.problems.join()).not.toContain("certificate");
    // The keymaster enters what it renews in the roster, so that everyone knows.
    await until("d to know e's present certificate", WAIT_MS_MAX, async () => {
      const seen = (await certs("d")).find(({ node }) => node === "e");
      return seen?.source === "roster" && seen.state !== "expired" ? true : undefined;
    });
  });

  test("a daemon killed in the middle of it, four times, comes up again and is renewed", async () => {
    for (let time = 0; time < 4; time += 1) {
      const asked = mesh
        .daemon("e")
        .control.call("certs-renew", {})
        .catch(() => undefined);
      await sleep(time * 4);
      await mesh.daemon("e").kill();
      await Promise.race([asked, sleep(100)]);
      await mesh.daemon("e").run();
      expect((await ownCert("e")).state).not.toBe("unknown");
    }
    const before = await serialOf("e");
    await until("e to be renewed", WAIT_MS_MAX, async () =>
      (await serialOf("e")) === before ? undefined : true,
    );
  });

  test("without the keymaster the mesh watches on, people are told once, and all is healed on its return", async () => {
    await mesh.settled();
    await mesh.daemon("a").stop();
    const from = mesh.notices.length;
    await until("everyone else's certificate to be over", 60_000, async () => {
      const states = await Promise.all(["b", "c", "d", "e"].map(async (name) => (await ownCert(name)).state));
      return states.every((state) => state === "expired") ? true : undefined;
    });
    // An old certificate does not keep a daemon from coming back to its peers.
    await mesh.daemon("c").kill();
    await mesh.daemon("c").run();
    await until("c and d to see one another with old certificates", WAIT_MS_MAX, async () => {
      const { nodes } = await mesh.daemon("d").status();
      return nodes.find(({ name }) => name === "c")?.verdict === "alive" ? true : undefined;
    });
    expect((await command(mesh.daemon("b"), ...runbookCommand(LATE, "certs"))).code).toBe(3);
    const told = await mesh.delivery("the message about b's certificate", WAIT_MS_MAX, (delivery) => {
      const message = messageIn(delivery);
      return message?.kind === "certificate" && message.subjects.some(({ name }) => name === "b");
    });
    expect(messageIn(told)).toMatchObject({ state: "open", severity: "warning" });
    expect(messageIn(told)?.title).toMatch(/^The certificates? of .* (is|are) not being renewed$/);
    await mesh.daemon("a").run(SHORT_LIFE);
    await until("everyone to be renewed", WAIT_MS_MAX, async () => {
      const states = await Promise.all(NAMES.map(async (name) => (await ownCert(name)).state));
      return states.every((state) => state === "valid" || state === "due") ? true : undefined;
    });
    await mesh.settled();
    const about = mesh.notices.slice(from).filter(({ event }) => event.kind === "certificate");
    const named = (phase: string): unknown[] =>
      [...new Set(about.filter(({ event }) => event.phase === phase).map(({ event }) => event.name))].sort();
    expect(named("open")).toContain("b");
    // Who was restarted meanwhile has its incident from the life before.
    expect(named("resolved")).toEqual(expect.arrayContaining(named("open")));
    const wrong = alarms(from).filter((text) => !/: (a|c) |certificate/.test(text));
    expect(wrong).toEqual([]);
    // The rights of those that were flagged are back without a restart.
    await until("nobody to be flagged", WAIT_MS_MAX, async () => {
      const problems = (await mesh.settled()).flatMap((report) => report.problems).join();
      return problems.includes("outside its validity") ? undefined : true;
    });
  });
});

describe("removal", () => {
  const join_ = async (name: string): Promise<void> => {
    const made = JSON.parse(
      await mesh.daemon("a").cli("token", "create", name, "--json"),
    ) as TokenCreateReport;
    const daemon = mesh.daemon(name);
    await daemon.cli("join", made.token, "--via", mesh.daemon("b").address, ...daemon.addressFlags, "--json");
    await daemon.run();
  };
  /** When each of the others had cut the node off, in ms after the command was sent to the keymaster. */
  const removeAndMeasure = async (name: string): Promise<number[]> => {
    const others = NAMES.filter((each) => each !== name);
    const began = machineMs();
    const removed = mesh
      .daemon("a")
      .control.call("node-remove", { node: name, why: "a test", suspected: false });
    const times = others.map((other) =>
      until(
        `${other} to cut ${name} off`,
        WAIT_MS_MAX,
        async () => {
          const { nodes } = await mesh.daemon(other).status();
          return nodes.some((node) => node.name === name) ? undefined : machineMs() - began;
        },
        20,
      ),
    );
    const report = await removed;
    expect(report).toMatchObject({ node: name, waiting: [] });
    expect([...report.reached].sort()).toEqual(others.filter((each) => each !== "a"));
    return Promise.all(times);
  };
  const ended = (name: string): Promise<true> =>
    until(`${name} to end`, WAIT_MS_MAX, () => (mesh.daemon(name).state === "off" ? true : undefined));

  test("the keymaster itself, and somebody unknown, are refused with the reason", async () => {
    const keymaster = await command(mesh.daemon("a"), "node", "remove", "a");
    expect(keymaster).toMatchObject({ code: 2, stderr: expect.stringContaining("a is the keymaster") });
    const unknown = await command(mesh.daemon("a"), "node", "remove", "zz");
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("the mesh has no node zz") });
    const elsewhere = await command(mesh.daemon("b"), "node", "remove", "c");
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining("Run this on a.") });
  });

  test("is known and obeyed everywhere within a second; the daemon stops and says what to do; the name joins anew", async () => {
    const times: number[] = [];
    for (let trial = 0; trial < 2; trial += 1) {
      await mesh.settled();
      const from = mesh.notices.length;
      times.push(...(await removeAndMeasure("e")));
      await ended("e");
      expect(mesh.daemon("e").logTail()).toMatch(
        /this node, e, was removed from its mesh .*: a test \(node-removed\)/,
      );
      const again = await command(mesh.daemon("e"), "run");
      expect(again).toMatchObject({ code: EXIT_REMOVED, stderr: expect.stringContaining("balefire join") });
      expect(alarms(from)).toEqual([]);
      await join_("e");
    }
    times.sort((a, b) => a - b);
    process.stderr.write(
      `removal cut within: median ${times[times.length >> 1]} ms, most ${times.at(-1)} ms\n`,
    );
    // All daemons of this test share two cores, and so does whatever else runs: the slowest is shown, not judged.
    expect(times[times.length >> 1]).toBeLessThan(CUT_MS_MAX);
    await mesh.settled();
  });

  test("a node that was off meanwhile is refused when it comes back, learns it, and ends", async () => {
    await mesh.daemon("d").stop();
    const why = "sold";
    expect((await command(mesh.daemon("a"), "node", "remove", "d", "--why", why)).code).toBe(0);
    const back = await command(mesh.daemon("d"), "run");
    expect(back.code).toBe(EXIT_REMOVED);
    expect(back.stderr).toMatch(/this node, d, was removed from its mesh .*: sold/);
    await join_("d");
    await mesh.settled();
  });

  test("for theft tells people", async () => {
    const why = runbookCommand("stolen-host", "node revoke", { pve3: "e" });
    expect((await command(mesh.daemon("a"), ...why)).code).toBe(0);
    const told = await mesh.delivery(
      "the message about e",
      WAIT_MS_MAX,
      (delivery) => messageIn(delivery)?.kind === "revoked",
    );
    expect(messageIn(told)).toMatchObject({ state: "note", severity: "warning", title: "e was revoked" });
    expect(messageIn(told)?.text).toContain("stolen from the rack");
    await ended("e");
    await join_("e");
    await mesh.settled();
  });

  test("new addresses reach everyone, and the node under its old identity", async () => {
    const { id } = mesh.daemon("e");
    const [old = ""] = [mesh.daemon("e").address];
    const extra = `127.0.0.55:${PORT}`;
    const taken = await command(
      mesh.daemon("a"),
      "node",
      "readdress",
      "e",
      "--address",
      mesh.daemon("b").address,
    );
    expect(taken).toMatchObject({ code: 1, stderr: expect.stringContaining("node b has it") });
    const moved = await command(
      mesh.daemon("a"),
      ...["node", "readdress", "e", "--address", old, "--address", extra, "--json"],
    );
    expect(JSON.parse(moved.stdout)).toMatchObject({ id, addresses: [old, extra], waiting: [] });
    await mesh.daemon("e").kill();
    await mesh.daemon("e").run();
    const { nodes } = await mesh.daemon("c").status();
    expect(nodes.find((node) => node.name === "e")).toMatchObject({ id, addresses: [old, extra] });
    await mesh.settled();
  });
});
