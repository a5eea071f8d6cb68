/** A host whose drivers hang, more of them than there are threads: what does not depend on them goes on. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { type Finished, runToEnd } from "../../lab/driver/child.ts";
import { until } from "../../lab/driver/clock.ts";
import type { Daemon } from "../../lab/driver/daemon.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";
import type { DoctorReport, SilenceListReport } from "../../src/wire/rpc.ts";
import { buildTree, type Chip, chipFolder } from "../fixtures/sysfs/tree.ts";

const PORT = 18_254;
const WAIT_MS_MAX = 15_000;
/** More than the pool has threads (bin/balefire). */
const DRIVERS = 8;
const CHIPS = Array.from(
  { length: DRIVERS },
  (_, number): Chip => ({
    name: "nct6798",
    device: `platform/nct6798.${number}`,
    bus: "platform",
    channels: { temp1: { input: 38000, label: "SYSTIN", max: 90000 } },
  }),
);

const folder = mkdtempSync(join(tmpdir(), "balefire-hang-"));
let mesh: Mesh;
let a: Daemon;
let b: Daemon;
beforeAll(async () => {
  buildTree(folder, { chips: CHIPS });
  const sensors = { sysfsRoot: folder, every: "300ms" };
  mesh = await Mesh.form({
    names: ["a", "b"],
    network: loopbackNetwork(),
    balefire: FROM_SOURCE,
    port: PORT,
    configOf: (name) => (name === "b" ? { sensors, history: { flush: "1s" } } : {}),
  });
  a = mesh.daemon("a");
  b = mesh.daemon("b");
});
afterAll(async () => {
  await mesh.close();
  rmSync(folder, { recursive: true, force: true });
});

const command = (daemon: Daemon, ...words: string[]): Promise<Finished> =>
  runToEnd([...FROM_SOURCE, ...words], { env: daemon.env, timeoutMs: 60_000 });
const json = async <T>(daemon: Daemon, ...words: string[]): Promise<T> =>
  JSON.parse((await command(daemon, ...words, "--json")).stdout) as T;
const allAre = (validity: string): Promise<unknown> =>
  until(`a to see all as ${validity}`, WAIT_MS_MAX, async () => {
    const { hosts } = await a.control.call("temps", { node: "b" });
    const seen = hosts[0]?.readings ?? [];
    return seen.length === DRIVERS && seen.every((each) => each.validity === validity) ? true : undefined;
  });

test("reading takes two threads at most, and all sensors are shown as stuck", async () => {
  await allAre("ok");
  // A limit is opened anew from time to time: a pipe in its place makes its driver hang.
  CHIPS.forEach((chip, number) => {
    const file = join(folder, chipFolder(chip, number), "temp1_max");
    rmSync(file);
    execFileSync("mkfifo", [file]);
  });
  await allAre("stuck");
  const { findings } = await json<DoctorReport>(b, "doctor");
  expect(findings.map(({ finding }) => finding)).toContain("2 drivers do not answer");
});

test("beats go out all the while, and nobody doubts the host", async () => {
  const seen = (await a.status()).nodes.find(({ name }) => name === "b");
  expect(seen).toMatchObject({ verdict: "alive" });
  expect(seen?.beatsPerSecond).toBeGreaterThan(3);
  expect(mesh.notices.filter(({ event }) => event.event === "verdict" && event.to === "suspect")).toEqual([]);
});

test("names are looked up, files are read and messages sent", async () => {
  const file = join(b.folder, "config.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replaceAll("127.0.0.1", "localhost"));
  process.kill(b.pid, "SIGHUP");
  await until("the other address to count", WAIT_MS_MAX, () =>
    b.logTail().includes("configuration read") ? true : undefined,
  );
  const from = mesh.receiver.deliveries.length;
  const tests = await Promise.all([1, 2, 3, 4].map(() => command(b, "notify", "test", "phone")));
  expect(tests.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  const told = mesh.receiver.deliveries.slice(from).map(({ headers }) => headers.host);
  expect(told).toHaveLength(4);
  for (const host of told) expect(host).toMatch(/^localhost:/);
});

test("what is decided is on disk: it is there after a kill", async () => {
  expect((await command(b, "silence", "add", "node=a", "--why", "paint")).code).toBe(0);
  expect((await b.status()).problems.join()).not.toContain("state");
  await mesh.perform("kill", "b");
  await mesh.perform("revive", "b");
  const { silences } = await json<SilenceListReport>(b, "silence", "list");
  expect(silences).toMatchObject([{ why: "paint" }]);
});
