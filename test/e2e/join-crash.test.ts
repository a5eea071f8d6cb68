import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRecovery } from "../../src/adapters/pki/recovery.ts";
import { StateFolder } from "../../src/adapters/state/folder.ts";
import { loadIdentity, withOfflineKeymaster } from "../../src/daemon/identity.ts";
import { initMesh } from "../../src/daemon/init.ts";
import { joinMesh } from "../../src/daemon/join.ts";
import { RECOVERY_STATE_FILE } from "../../src/daemon/state-files.ts";
import { unwrap } from "../../src/kit/result.ts";
import { hours } from "../../src/kit/time.ts";
import { expectTidy, runToItsEnd, STEPS_MAX, start, sweep } from "./crash-rig.ts";
import { rig, temporaryFolder } from "./join-rig.ts";

async function recoveryOpens(stateDir: string, code: string): Promise<boolean> {
  const file = unwrap(await new StateFolder(stateDir).readJson(RECOVERY_STATE_FILE));
  return file !== undefined && (await openRecovery(file, code)).ok;
}

test("init killed at any step leaves nothing that counts, or a mesh whose code was shown", async () => {
  let [begunAnew, stood] = [0, 0];
  const steps = await sweep(async (dieAt) => {
    const stateDir = join(await temporaryFolder(), "state");
    const options = { stateDir, name: "pve1", addresses: ["127.0.0.1"] };
    const { killed, output } = await runToItsEnd({ do: "init", options, dieAt });
    const first = await loadIdentity(stateDir);
    const again = await initMesh(options);
    const mesh = unwrap(await loadIdentity(stateDir)).mesh;
    await expectTidy(stateDir);
    if (first.ok) {
      stood += 1;
      expect(again).toMatchObject({ ok: false, error: { code: "state-exists" } });
      expect(mesh).toBe(first.value.mesh);
      expect(await recoveryOpens(stateDir, output)).toBe(true);
    } else {
      begunAnew += 1;
      expect(first.error.code).toBe("state-missing");
      expect(await recoveryOpens(stateDir, unwrap(again).recoveryCode)).toBe(true);
    }
    return killed;
  });
  expect(steps).toBe(20);
  expect([begunAnew > 15, stood > 1]).toEqual([true, true]);
}, 120_000);

test("join killed at any step goes on with the same command, as one and the same node", async () => {
  const mesh = await rig();
  const steps = await sweep(async (dieAt) => {
    const stateDir = join(await temporaryFolder(), "state");
    const name = `pve${dieAt + 100}`;
    const options = { stateDir, token: await mesh.token(name), addresses: [`127.0.2.${dieAt}`] };
    const { killed } = await runToItsEnd({ do: "join", options, dieAt });
    const first = await loadIdentity(stateDir);
    if (!first.ok) expect(first.error.code).toBe("state-missing");
    const joined = unwrap(await joinMesh(options));
    const identity = unwrap(await loadIdentity(stateDir));
    expect(joined.already).toBe(first.ok);
    if (first.ok) expect(first.value.keyPem).toBe(identity.keyPem);
    const listed = mesh.identity.keeper.view().members.filter((member) => member.name === name);
    expect(listed.map((member) => member.id)).toEqual([identity.id]);
    await expectTidy(stateDir);
    return killed;
  });
  expect(steps).toBe(14);
}, 120_000);

test("a keymaster killed at any step of a join lets that host finish it, and no other", async () => {
  const mesh = await rig();
  const results: string[] = [];
  for (let dieAt = 1; dieAt <= 4; dieAt += 1) {
    const name = `pve${dieAt + 1}`;
    const { token } = unwrap(
      await withOfflineKeymaster(mesh.stateDir, (keymaster) => keymaster.createToken(name, hours(1))),
    );
    const child = start({ do: "keymaster", stateDir: mesh.stateDir, dieAt });
    const [line] = (await once(child.stdout ?? child, "data")) as [Buffer];
    const via = `127.0.0.1:${(JSON.parse(line.toString()) as { port: number }).port}`;
    const host = { stateDir: join(await temporaryFolder(), "state"), token, addresses: [`127.0.3.${dieAt}`] };
    const interrupted = await joinMesh({ ...host, via });
    expect(interrupted).toMatchObject({ ok: false, error: { code: "keymaster-unreachable", retry: true } });
    await (child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined);
    const restarted = await mesh.restart();
    const rival = {
      ...host,
      stateDir: join(await temporaryFolder(), "rival"),
      addresses: [`127.0.4.${dieAt}`],
    };
    if (dieAt > 1) expect(await joinMesh(rival)).toMatchObject({ ok: false, error: { code: "token-used" } });
    results.push(unwrap(await joinMesh(host)).node);
    const members = restarted.identity.keeper.view().members;
    expect(members.map((member) => member.id)).toEqual([mesh.mesh.node, ...results]);
    expect(await joinMesh(rival)).toMatchObject({ ok: false, error: { code: "token-used" } });
  }
}, 60_000);

test("a node killed at any step of a renewal has the old certificate or the new one, whole, and goes on", async () => {
  const mesh = await rig();
  const stateDir = join(await temporaryFolder(), "state");
  unwrap(await joinMesh({ stateDir, token: await mesh.token("pve2"), addresses: ["127.0.0.2"] }));
  const seen = new Set<string>();
  for (let dieAt = 1, killed = true; killed; dieAt += 1) {
    expect(dieAt).toBeLessThan(STEPS_MAX);
    const before = unwrap(await loadIdentity(stateDir));
    mesh.advance(1000);
    const certificatePem = unwrap(await mesh.keymaster.renew(before.id, before.certificate.request()));
    ({ killed } = await runToItsEnd({ do: "renew", stateDir, certificatePem, dieAt }));
    const after = unwrap(await loadIdentity(stateDir));
    expect([before.certificatePem, certificatePem]).toContain(after.certificatePem);
    expect(after.keyPem).toBe(before.keyPem);
    seen.add(after.certificatePem === certificatePem ? "new" : "old");
  }
  expect(seen).toEqual(new Set(["old", "new"]));
  await expectTidy(stateDir);
}, 60_000);

test("a host killed at any step of joining anew after it was removed finishes it with the same command", async () => {
  const mesh = await rig();
  const steps = await sweep(async (dieAt) => {
    const name = `pve${dieAt + 10}`;
    const stateDir = join(await temporaryFolder(), "state");
    const host = { stateDir, addresses: [`127.0.5.${dieAt}`] };
    const first = unwrap(await joinMesh({ ...host, token: await mesh.token(name) }));
    unwrap(await mesh.keymaster.removeNode(name, "a test"));
    const identity = unwrap(await loadIdentity(stateDir));
    unwrap(await identity.keeper.consider(mesh.identity.keeper.current().encoded));
    expect(await loadIdentity(stateDir)).toMatchObject({ ok: false, error: { code: "node-removed" } });
    const options = { ...host, token: await mesh.token(name) };
    const { killed } = await runToItsEnd({ do: "join", options, dieAt });
    const again = unwrap(await joinMesh(options));
    expect(again.node).not.toBe(first.node);
    expect(unwrap(await loadIdentity(stateDir)).id).toBe(again.node);
    await expectTidy(stateDir);
    return killed;
  });
  expect(steps).toBeGreaterThan(8);
}, 120_000);
