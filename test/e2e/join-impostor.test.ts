import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Identity, loadIdentity } from "../../src/daemon/identity.ts";
import { initMesh } from "../../src/daemon/init.ts";
import { joinMesh } from "../../src/daemon/join.ts";
import { unwrap } from "../../src/kit/result.ts";
import { encodeJoinLine } from "../../src/wire/join.ts";
import { encodeToken, parseToken } from "../../src/wire/token.ts";
import { answerWith, listening, newHost, refusal, rig, temporaryFolder } from "./join-rig.ts";

/** A server that counts what a joiner says until it hangs up, and greets as the genuine keymaster would. */
async function impostor(
  credentials: { readonly keyPem: string; readonly certificatePem: string },
  hello?: { intermediate: string; root: string },
  alpn?: readonly string[],
): Promise<{ address: string; heard: () => Promise<number> }> {
  const { server, address } = await listening(alpn);
  let bytes = 0;
  const closed: Promise<unknown>[] = [];
  answerWith(server, credentials, (socket) => {
    closed.push(once(socket, "close"));
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    if (hello !== undefined) socket.write(encodeJoinLine({ schema: 1, ...hello }));
  });
  const heard = async (): Promise<number> => {
    await Promise.all(closed);
    return bytes;
  };
  return { address, heard };
}

async function helloOf(identity: Identity): Promise<{ intermediate: string; root: string }> {
  const { roster } = identity.keeper.current();
  return { intermediate: roster.succession[0]?.certificate ?? "", root: roster.roots[0]?.certificate ?? "" };
}

async function otherMesh(): Promise<Identity> {
  const stateDir = join(await temporaryFolder(), "other");
  unwrap(await initMesh({ stateDir, name: "pve1", addresses: ["127.0.0.1"] }));
  return unwrap(await loadIdentity(stateDir));
}

test("a joiner says not one byte to a server with another key, even one of the same mesh", async () => {
  const mesh = await rig();
  const member = await newHost(await mesh.token("pve2"));
  unwrap(await joinMesh(member));
  const hello = await helloOf(mesh.identity);
  for (const credentials of [unwrap(await loadIdentity(member.stateDir)), await otherMesh()]) {
    const { address, heard } = await impostor(credentials, hello);
    const host = await newHost(await mesh.token("pve3"), { via: address, addresses: ["127.0.0.3"] });
    expect(await joinMesh(host)).toMatchObject(refusal("certificate-invalid", "another key"));
    expect(await heard()).toBe(0);
    expect(mesh.keymaster.listTokens().at(-1)?.state).toBe("open");
  }
});

test("a joiner says not one byte to a server with another root", async () => {
  const mesh = await rig();
  const stranger = await otherMesh();
  const genuine = await helloOf(mesh.identity);
  const foreign = await helloOf(stranger);
  const token = await mesh.token("pve2");
  const servers = [
    await impostor(mesh.identity, foreign),
    await impostor(mesh.identity, { ...genuine, root: foreign.root }),
    await impostor(mesh.identity, { ...genuine, intermediate: foreign.intermediate }),
    await impostor(mesh.identity, { intermediate: "x", root: "x" }),
  ];
  for (const { address, heard } of servers) {
    const host = await newHost(token, { via: address });
    expect(await joinMesh(host)).toMatchObject(refusal("certificate-invalid", "another root"));
    expect(await heard()).toBe(0);
  }
  const rootless = encodeToken({
    ...unwrap(parseToken(token)),
    root: Buffer.alloc(32).toString("base64url"),
  });
  const { address, heard } = await impostor(mesh.identity, genuine);
  expect(await joinMesh(await newHost(rootless, { via: address }))).toMatchObject(
    refusal("certificate-invalid", "another root"),
  );
  expect(await heard()).toBe(0);
});

test("a joiner says not one byte to a server that does not speak the join protocol", async () => {
  const mesh = await rig();
  for (const alpn of [["h2"], []]) {
    const { address, heard } = await impostor(mesh.identity, await helloOf(mesh.identity), alpn);
    expect((await joinMesh(await newHost(await mesh.token("pve2"), { via: address }))).ok).toBe(false);
    expect(await heard()).toBe(0);
  }
});

test("a keymaster that hangs up after its greeting is unreachable for now, nothing worse", async () => {
  const mesh = await rig();
  const hello = await helloOf(mesh.identity);
  const { server, address } = await listening();
  answerWith(server, mesh.identity, (socket) => {
    socket.write(encodeJoinLine({ schema: 1, ...hello }), () => socket.destroy());
  });
  const host = await newHost(await mesh.token("pve2"), { via: address });
  expect(await joinMesh(host)).toMatchObject({
    ok: false,
    error: { code: "keymaster-unreachable", retry: true },
  });
});
