import { join } from "node:path";
import { expect, test } from "vitest";
import { loadIdentity } from "../../src/daemon/identity.ts";
import { joinMesh } from "../../src/daemon/join.ts";
import { unwrap } from "../../src/kit/result.ts";
import { rig, temporaryFolder } from "./join-rig.ts";

test("a host with a token becomes a node that every roster names", async () => {
  const mesh = await rig();
  const stateDir = join(await temporaryFolder(), "pve2");
  const joined = unwrap(
    await joinMesh({ stateDir, token: await mesh.token("pve2"), addresses: ["127.0.0.2"] }),
  );
  const identity = unwrap(await loadIdentity(stateDir));
  expect(identity).toMatchObject({
    mesh: mesh.mesh.mesh,
    id: joined.node,
    name: "pve2",
    addresses: ["127.0.0.2:7654"],
  });
  expect(identity.keymaster).toBeUndefined();
  expect(identity.keeper.current().hash).toBe(mesh.identity.keeper.current().hash);
  expect(identity.keeper.view().members.map((member) => member.name)).toEqual(["pve1", "pve2"]);
  expect(identity.keeper.trustView(joined.node)).toMatchObject({
    peers: [{ id: mesh.mesh.node, name: "pve1" }],
    keymaster: { id: mesh.mesh.node, addresses: [mesh.address] },
  });
  expect(mesh.keymaster.listTokens()).toMatchObject([{ name: "pve2", state: "used" }]);
});
