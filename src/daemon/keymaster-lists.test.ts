/** What the keymaster enters in books and lists, so that other tools can be told what it took back. */
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newHost, type Rig, rig } from "../../test/e2e/join-rig.ts";
import { parseCertificates } from "../adapters/pki/certificates.ts";
import { unwrap } from "../kit/result.ts";
import { days } from "../kit/time.ts";
import { crlsReport } from "./crl-views.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { joinMesh } from "./join.ts";

async function pair(): Promise<{ mesh: Rig; second: Identity }> {
  const mesh = await rig();
  const host = await newHost(await mesh.token("pve2"));
  unwrap(await joinMesh(host));
  return { mesh, second: unwrap(await loadIdentity(host.stateDir)) };
}
const renew = async (mesh: Rig, node: Identity): Promise<string> => {
  mesh.advance(1000);
  const pem = unwrap(await mesh.keymaster.renew(node.id, node.certificate.request()));
  return unwrap(parseCertificates(pem))[0]?.serialNumber.toLowerCase() ?? "";
};
const lists = ({ identity }: Rig): ReturnType<typeof crlsReport> =>
  crlsReport(identity.keeper.current().roster);

test("a removal takes back all certificates that hold, those from before a restart and not yet published too", async () => {
  const { mesh, second } = await pair();
  const serials = [second.certificate.facts.serial, await renew(mesh, second)];
  const again = await mesh.restart();
  serials.push(await renew(again, second));
  unwrap(await again.keymaster.removeNode("pve2", "gone", true));
  const [entry] = again.identity.keeper.current().roster.revoked;
  expect(entry).toMatchObject({ name: "pve2", suspected: true });
  expect(entry?.serials).toEqual(serials);
  const [list] = lists(again).roots[0]?.lists ?? [];
  expect(list?.entries).toHaveLength(3);
  for (const each of list?.entries ?? [])
    expect(each).toMatchObject({ node: "pve2", reason: "keyCompromise" });
});

test("a certificate that cannot be entered in the book does not leave", async () => {
  const { mesh, second } = await pair();
  await symlink("/proc/none/none", join(mesh.stateDir, "issued.json.tmp"));
  mesh.advance(1000);
  expect(await mesh.keymaster.renew(second.id, second.certificate.request())).toMatchObject({ ok: false });
});

test("a node that is renewed again and again has to wait at last, and is told until when", async () => {
  const { mesh, second } = await pair();
  for (let time = 0; time < 7; time += 1) await renew(mesh, second);
  mesh.advance(1000);
  expect(await mesh.keymaster.renew(second.id, second.certificate.request())).toMatchObject({
    ok: false,
    error: { code: "limit-reached", remedy: expect.stringMatching(/the next one at 20.* UTC/), retry: true },
  });
  mesh.advance(days(4));
  await renew(mesh, second);
});

test("lists are signed anew when half of their time is over, by themselves and only then", async () => {
  const mesh = await rig();
  const epoch = (): number => mesh.identity.keeper.view().epoch;
  unwrap(await mesh.keymaster.publishLists());
  expect(epoch()).toBe(1);
  const [before] = lists(mesh).roots[0]?.lists ?? [];
  mesh.advance(days(16));
  unwrap(await mesh.keymaster.publishLists());
  expect(epoch()).toBe(2);
  const [after, roots] = lists(mesh).roots[0]?.lists ?? [];
  expect(Date.parse(after?.nextUpdate ?? "")).toBeGreaterThan(Date.parse(before?.nextUpdate ?? ""));
  expect(roots?.issuer).toContain("root");
  unwrap(await mesh.keymaster.publishLists());
  expect(epoch()).toBe(2);
});
