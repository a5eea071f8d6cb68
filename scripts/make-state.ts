/**
 * Makes a kept state folder (test/fixtures/state-N): what three daemons of a mesh that has seen something
 * leave on disk. Done once for each format that was ever released, and never again for the same one:
 * later versions must load what this one wrote.
 *
 * Usage: node scripts/make-state.ts FOLDER    (no state may be kept there yet)
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FROM_SOURCE } from "../lab/driver/checkout.ts";
import { sleep, until } from "../lab/driver/clock.ts";
import type { Daemon } from "../lab/driver/daemon.ts";
import { Mesh } from "../lab/driver/mesh.ts";
import { messageIn } from "../lab/driver/message.ts";
import { loopbackNetwork } from "../lab/driver/network.ts";
import { MACHINES } from "../test/fixtures/sysfs/machines.ts";
import { buildTree } from "../test/fixtures/sysfs/tree.ts";

/** Who is who, and under which name its folder is kept; the fourth leaves again. */
const KEPT = { pve1: "keymaster", pve2: "standby", pve3: "member" } as const;
const NAMES = [...Object.keys(KEPT), "pve4"];
/** Addresses and port that nothing else uses: a test starts these daemons again. */
const PORT = 17_999;
const addressOf = (place: number): string => `127.9.7.${place + 1}`;
/** What whoever loads the state must find in it. */
const EXPECTED_FILE = "expected.json";
const WAIT_MS_MAX = 60_000;
const LIVED_MS = 15_000;
const MACHINE = "two-socket EPYC with Tctl and Tdie";

async function live(mesh: Mesh): Promise<object> {
  const keymaster = mesh.daemon("pve1");
  const { control } = keymaster;
  await control.call("standby-add", { node: "pve2", code: mesh.recoveryCode });
  await control.call("config-apply", { text: "policy:\n  planned: {grace: 20m}\n" });
  await control.call("silence-add", {
    matcher: "kind=heat",
    why: "the fan is ordered",
    user: "anna",
  });
  await control.call("token-create", { name: "pve5", expiresMs: 3_600_000 });
  await control.call("node-remove", { node: "pve4", why: "sold", suspected: false });
  await control.call("certs-renew", { node: "pve3" });
  await mesh.daemon("pve3").kill();
  await told(mesh, "open");
  await mesh.daemon("pve3").run();
  await told(mesh, "resolved");
  await sleep(LIVED_MS);
  const { mesh: id, generation, term, epoch } = await keymaster.status();
  const { incidents } = await control.call("incidents", {});
  return {
    mesh: id,
    rank: { generation, term, epoch },
    recoveryCode: mesh.recoveryCode,
    incidents: incidents.map(({ id: incident, kind, name, state }) => ({ incident, kind, name, state })),
  };
}

const told = (mesh: Mesh, state: "open" | "resolved"): Promise<unknown> =>
  mesh.delivery(`pve3 told as ${state}`, WAIT_MS_MAX, (delivery) => messageIn(delivery)?.state === state);

/** All that the daemon has left, but for the lock. */
function keep(daemon: Daemon, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(daemon.stateFolder))
    if (file !== "lock") copyFileSync(join(daemon.stateFolder, file), join(folder, file));
}

async function main(): Promise<void> {
  const [target] = process.argv.slice(2);
  if (target === undefined || existsSync(join(target, EXPECTED_FILE))) {
    process.stderr.write("Usage: node scripts/make-state.ts FOLDER    (no state may be kept there yet)\n");
    process.exitCode = 2;
    return;
  }
  const sysfs = mkdtempSync(join(tmpdir(), "balefire-sysfs-"));
  buildTree(sysfs, MACHINES[MACHINE] ?? { chips: [] });
  const mesh = await Mesh.form({
    names: NAMES,
    network: { ...loopbackNetwork(), addressOf, addressesOf: (place) => [addressOf(place)] },
    balefire: FROM_SOURCE,
    port: PORT,
    policy: { daemonDown: { grace: "0s" }, flap: "off" },
    configOf: () => ({ sensors: { sysfsRoot: sysfs, every: "500ms" }, history: { flush: "1s" } }),
  });
  try {
    const seen = await live(mesh);
    const nodes: Record<string, object> = {};
    for (const [name, kept] of Object.entries(KEPT)) {
      const daemon = mesh.daemon(name);
      await daemon.stop();
      await until(`${name} to end`, WAIT_MS_MAX, () => (daemon.state === "off" ? true : undefined));
      keep(daemon, join(target, kept));
      nodes[kept] = { name, id: daemon.id, address: daemon.address };
    }
    writeFileSync(join(target, EXPECTED_FILE), `${JSON.stringify({ ...seen, nodes }, undefined, 2)}\n`);
  } finally {
    await mesh.close();
    rmSync(sysfs, { recursive: true, force: true });
  }
}

await main();
