/** Real daemons on state that an earlier version wrote: they find one another, renew what ran out, and show what was. */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { until } from "../../lab/driver/clock.ts";
import { Daemon } from "../../lab/driver/daemon.ts";
import { FIXTURES, type KeptState, keptStates } from "../fixtures/kept-states.ts";

const WAIT_MS_MAX = 30_000;
const CONFIG = `${JSON.stringify({ http: { listen: "off" }, sensors: { watch: "off" } })}\n`;

/** A daemon whose state folder is the one that was kept. */
function daemonOn(
  folder: string,
  state: string,
  role: string,
  { name, address }: KeptState["nodes"][string],
): Daemon {
  const daemon = new Daemon({
    name,
    addresses: [address],
    folder: join(folder, role),
    balefire: FROM_SOURCE,
    config: CONFIG,
    inside: (argv) => argv,
  });
  mkdirSync(daemon.stateFolder, { mode: 0o700 });
  const from = join(FIXTURES, state, role);
  for (const file of readdirSync(from)) {
    copyFileSync(join(from, file), join(daemon.stateFolder, file));
    chmodSync(join(daemon.stateFolder, file), 0o600);
  }
  return daemon;
}

describe.each(keptStates())("%s", (state) => {
  test("is a mesh again once its daemons are started", async () => {
    const expected = JSON.parse(readFileSync(join(FIXTURES, state, "expected.json"), "utf8")) as KeptState;
    const folder = mkdtempSync(join(tmpdir(), "balefire-kept-"));
    const daemons = Object.entries(expected.nodes).map(([role, node]) => daemonOn(folder, state, role, node));
    try {
      await Promise.all(daemons.map((daemon) => daemon.run()));
      await until("everyone to see everyone alive, and to be renewed", WAIT_MS_MAX, async () => {
        const reports = await Promise.all(daemons.map((daemon) => daemon.status()));
        const certs = await Promise.all(daemons.map((daemon) => daemon.control.call("certs", {})));
        const alive = reports.every(({ nodes }) => nodes.every(({ verdict }) => verdict === "alive"));
        const renewed = certs.every(({ certificates }, at) =>
          certificates.some(({ node, state: is }) => node === daemons[at]?.name && is !== "expired"),
        );
        return alive && renewed ? true : undefined;
      });
      for (const daemon of daemons) {
        const { mesh, generation } = await daemon.status();
        expect({ mesh, generation }).toEqual({ mesh: expected.mesh, generation: expected.rank.generation });
        const { incidents } = await daemon.control.call("incidents", {});
        const known = incidents.map(({ id }) => id);
        // What is long over is forgotten after a month, on whatever version.
        for (const { incident } of expected.incidents)
          if (known.length > 0) expect(known).toContain(incident);
      }
    } finally {
      await Promise.all(daemons.map((daemon) => daemon.kill()));
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
