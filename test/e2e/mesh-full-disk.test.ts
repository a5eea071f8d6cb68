/** A host whose disk is full when its daemon starts still watches, says so, and recovers without a restart. */
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { until } from "../../lab/driver/clock.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";
import { fillDisk, type SmallDisk, smallDisk } from "../contract/small-disk.ts";

const PORT = 17_954;
const WAIT_MS_MAX = 15_000;

const probe = mkdtempSync(join(tmpdir(), "balefire-mount-"));
const { mounted, unmount } = smallDisk(probe);
if (mounted) unmount();
rmSync(probe, { recursive: true });

let mesh: Mesh;
let disk: SmallDisk | undefined;
beforeAll(async () => {
  const network = loopbackNetwork();
  mesh = await Mesh.form({ names: ["a", "b"], network, balefire: FROM_SOURCE, port: PORT });
});
afterAll(async () => {
  await mesh.daemon("b").kill();
  disk?.unmount();
  await mesh.close();
});

test.skipIf(!mounted)("a daemon starts on a full disk, watches, and writes once there is room", async () => {
  const b = mesh.daemon("b");
  await mesh.perform("stop", "b");
  const state = join(b.folder, "state");
  const whole = `${state}.whole`;
  renameSync(state, whole);
  mkdirSync(state);
  disk = smallDisk(state);
  cpSync(whole, state, { recursive: true });
  const before = (await mesh.daemon("a").status()).nodes.find(({ name }) => name === "b")?.incarnation ?? 0;
  const makeRoom = fillDisk(state);

  await b.run();
  await mesh.settled();
  const failing = await until("b to say that it cannot write", WAIT_MS_MAX, async () => {
    const status = await b.status();
    return status.problems.some((problem) => problem.startsWith("state cannot be written"))
      ? status
      : undefined;
  });
  expect(failing.health).toBe("degraded");
  const seen = (await mesh.daemon("a").status()).nodes.find(({ name }) => name === "b");
  expect(seen?.verdict).toBe("alive");
  // It knew from its disk which life was its last.
  expect(seen?.incarnation).toBeGreaterThan(before);

  makeRoom();
  await b.cli("silence", "add", "all");
  await until("b to write again", WAIT_MS_MAX, async () =>
    (await b.status()).problems.some((problem) => problem.includes("cannot be written")) ? undefined : true,
  );
  await mesh.perform("kill", "b");
  await mesh.perform("revive", "b");
  await until("b to remember what it was told", WAIT_MS_MAX, async () =>
    (await b.status()).silences === 1 ? true : undefined,
  );
});
