/** State that earlier versions wrote: everything in it is found again, and goes on being of use. */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createHistory } from "../../src/adapters/history/history.ts";
import { createStore } from "../../src/adapters/store/sqlite-store.ts";
import type { Stored } from "../../src/core/io.ts";
import { incidentViews } from "../../src/core/view-of.ts";
import { type Identity, loadIdentity } from "../../src/daemon/identity.ts";
import { openRootKey } from "../../src/daemon/root-key.ts";
import { promoteByRoot, promoteStandby } from "../../src/daemon/takeover.ts";
import { unwrap } from "../../src/kit/result.ts";
import { wallTime } from "../../src/kit/time.ts";
import { FIXTURES, type KeptState, keptStates } from "../fixtures/kept-states.ts";
import { LoneNode } from "./lone-node.ts";

const scratch = mkdtempSync(join(tmpdir(), "balefire-kept-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let copies = 0;

/** As it lay on the host: a checkout does not keep who may read what. */
function copyOf(state: string, role: string): string {
  copies += 1;
  const copy = join(scratch, String(copies));
  mkdirSync(copy, { mode: 0o700 });
  const from = join(FIXTURES, state, role);
  for (const file of readdirSync(from)) {
    copyFileSync(join(from, file), join(copy, file));
    chmodSync(join(copy, file), 0o600);
  }
  return copy;
}

const identityOf = async (state: string, role: string): Promise<Identity> =>
  unwrap(await loadIdentity(copyOf(state, role)));

async function recordsOf(folder: string): Promise<readonly Stored[]> {
  const store = await createStore({ path: join(folder, "store.sqlite") });
  try {
    const { records, damaged } = await store.load();
    expect(damaged).toEqual([]);
    return records;
  } finally {
    await store.close();
  }
}

describe.each(keptStates())("%s", (state) => {
  const expected = JSON.parse(readFileSync(join(FIXTURES, state, "expected.json"), "utf8")) as KeptState;
  const roles = Object.entries(expected.nodes);
  const now = wallTime(Date.now());

  test.each(roles)("the %s is who it was, with the roster it held", async (role, { name, id, address }) => {
    const identity = await identityOf(state, role);
    expect(identity).toMatchObject({ mesh: expected.mesh, name, id, addresses: [address] });
    const { roster } = identity.keeper.current();
    expect(roster).toMatchObject(expected.rank);
    expect(roster.nodes.map((node) => node.name).sort()).toEqual(roles.map(([, node]) => node.name).sort());
    expect(roster.revoked.map((entry) => entry.reason)).toContain("sold");
    expect(roster.config.text).toContain("planned");
    expect(identity.certificate.request()).toContain("CERTIFICATE REQUEST");
  });

  test("the keymaster signs certificates and rosters with the key it had, and knows its tokens", async () => {
    const keymaster = (await identityOf(state, "keymaster")).seat.current();
    const member = await identityOf(state, "member");
    expect(keymaster?.listTokens().map(({ name }) => name)).toContain("pve5");
    const renewed = await keymaster?.renew(member.id, member.certificate.request());
    expect(renewed).toMatchObject({ ok: true });
    if (renewed?.ok) expect(await member.certificate.replace(renewed.value, now)).toMatchObject({ ok: true });
    expect(await keymaster?.publishRenewals()).toMatchObject({ ok: true });
  });

  test("the standby may take over, and the others follow it", async () => {
    const standby = await identityOf(state, "standby");
    const member = await identityOf(state, "member");
    expect(standby.seat.current()).toBeUndefined();
    const promoted = unwrap(await promoteStandby(standby, now));
    expect(standby.seat.current()).toBeDefined();
    expect(await member.keeper.consider(promoted.encoded)).toEqual({ ok: true, value: "adopted" });
  });

  test("the recovery code still opens the root key, on any of them", async () => {
    const member = await identityOf(state, "member");
    const { roster } = member.keeper.current();
    const root = unwrap(await openRootKey({ roster, code: expected.recoveryCode }));
    const opened = unwrap(await promoteByRoot(member, root, now));
    expect(opened.roster.generation).toBe(expected.rank.generation + 1);
    const keymaster = await identityOf(state, "keymaster");
    expect(await keymaster.keeper.consider(opened.encoded)).toEqual({ ok: true, value: "adopted" });
    expect(keymaster.seat.current()).toBeUndefined();
  });

  test.each(roles)("the %s remembers what happened, and who was told", async (role) => {
    const folder = copyOf(state, role);
    const identity = unwrap(await loadIdentity(folder));
    const stored = await recordsOf(folder);
    const node = new LoneNode([identity.id], stored, { self: identity.id, roster: identity.keeper.view() });
    const incidents = incidentViews(node.state);
    for (const { incident, kind, name } of expected.incidents) {
      const found = incidents.find((each) => each.id === incident);
      expect(found).toMatchObject({ kind, name });
      expect(found?.told.find((each) => each.channel === "phone")).toMatchObject({ state: "delivered" });
    }
    expect([...node.state.ledger.mutes.values()].map(({ why }) => why)).toContain("the fan is ordered");
    expect(node.state.incarnation).toBeGreaterThan(1);
  });

  test.each(roles)("the %s has its readings of then", async (role) => {
    const folder = copyOf(state, role);
    const troubles: string[] = [];
    const history = createHistory({
      path: join(folder, "history.sqlite"),
      trouble: ({ message }) => troubles.push(message),
    });
    try {
      const sensors = unwrap(await history.sensors());
      expect(sensors.length).toBeGreaterThan(2);
      const [first] = sensors;
      if (first === undefined) throw new Error("no sensor");
      const { points } = unwrap(
        await history.query({ sensor: first.sensor, from: first.first, to: wallTime(first.last + 1) }),
      );
      expect(points.length).toBeGreaterThan(0);
      expect(troubles).toEqual([]);
    } finally {
      await history.close();
    }
  });
});
