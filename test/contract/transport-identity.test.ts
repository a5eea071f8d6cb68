/** Whom the mesh transport lets in: each refusal is played by a client of our own, as client and as server. */
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FRAME_HELLO } from "../../src/adapters/mesh/frames.ts";
import type { NodeId } from "../../src/core/types.ts";
import {
  issuerPem,
  rootPem,
  strangeExtension,
  type TestIdentity,
  type TestMesh,
  testIdentity,
  testKeys,
  testMesh,
  trustOf,
  underNewRoot,
} from "./mesh-identities.ts";
import { dialAsPuppet, hostPuppet, shoot } from "./mesh-puppet.ts";
import { beat, startNode, type TestNode } from "./mesh-rig.ts";

let mesh: TestMesh;
let node: TestNode;
/** In the roster. */
let member: TestIdentity;
beforeEach(async () => {
  mesh = await testMesh();
  const self = await testIdentity(mesh, "self");
  member = await testIdentity(mesh, "member");
  node = await startNode(self, { trust: trustOf(mesh, self, [member]) });
});
afterEach(() => node.transport.close());

const EXPIRED = [-40, -10] as const;
const FUTURE = [10, 40] as const;

/** Both ways in: it dials us, and we dial it. Neither may lead to a session or to a word from us. */
async function expectRefused(impostor: TestIdentity | undefined, message: RegExp): Promise<void> {
  const caller = await dialAsPuppet(node, impostor);
  const refused = await node.event("refused", ({ failure }) => message.test(failure.message));
  expect(refused.failure.code).toBe("certificate-invalid");
  await caller.closed;
  expect(await caller.frame(FRAME_HELLO)).toBeUndefined();
  if (impostor !== undefined) {
    const host = await hostPuppet(impostor);
    node.transport.dial(member.id, host.address);
    expect((await node.event("dial-failed")).reason).toMatch(message);
    for (const callee of host.arrived) {
      await callee.closed;
      expect(callee.frames).toEqual([]);
    }
    host.close();
  }
  expect(node.events.filter(({ type }) => type === "session-up")).toEqual([]);
  expect(node.transport.stats().sessions).toBe(0);
}

describe("refused before a byte is used", () => {
  it("no certificate", () => expectRefused(undefined, /shows no certificate/));

  it("a certificate from another mesh's root, for the member's own key and name", async () => {
    const foreign = await testMesh();
    const impostor = await testIdentity({ ...foreign, id: mesh.id }, "member", {
      id: member.id,
      keys: member.keys,
    });
    await expectRefused(impostor, /not trusted|not issued under/);
  });

  it("a root of the same name with another key", async () => {
    const foreign = await testMesh();
    const impostor = await testIdentity({ ...foreign, id: mesh.id }, "member", {
      id: member.id,
      keys: member.keys,
    });
    const withRoot = { ...impostor, certificatePem: impostor.certificatePem + rootPem(foreign) };
    await expectRefused(withRoot, /not trusted|not issued under/);
  });

  it("a certificate under our root that names another mesh", async () => {
    const other = await testMesh();
    const impostor = await testIdentity(mesh, "member", {
      id: member.id,
      keys: member.keys,
      uri: `spiffe://${other.id}/node/${member.id}`,
    });
    await expectRefused(impostor, /names no node of this mesh/);
  });

  it("a certificate that names two nodes, or none", async () => {
    const other = "11111111-2222-4333-8444-555555555555";
    const second = { type: "url" as const, value: `spiffe://${mesh.id}/node/${other}` };
    const two = await testIdentity(mesh, "member", {
      id: member.id,
      keys: member.keys,
      extraNames: [second],
    });
    await expectRefused(two, /names no node of this mesh/);
    const none = await testIdentity(mesh, "member", {
      id: member.id,
      keys: member.keys,
      uri: "https://example.com/",
    });
    const caller = await dialAsPuppet(node, none);
    await caller.closed;
    expect(node.transport.stats().refused["certificate-invalid"]).toBe(3);
  });

  it("a name that hides a second one behind a separator", async () => {
    const hidden = { type: "dns" as const, value: `x, URI:spiffe://${mesh.id}/node/${member.id}, y` };
    const impostor = await testIdentity(mesh, "member", {
      id: member.id,
      keys: member.keys,
      uri: null,
      extraNames: [hidden],
    });
    await expectRefused(impostor, /names no node of this mesh/);
  });

  it("a valid certificate of a node that is not in the roster", async () => {
    await expectRefused(await testIdentity(mesh, "stranger"), /not in the roster/);
  });

  it("a valid certificate for a node of the roster with another key", async () => {
    await expectRefused(await testIdentity(mesh, "member", { id: member.id }), /not the one in the roster/);
  });

  it("a wrong signature", async () => {
    const forged = await testIdentity(mesh, "member", {
      id: member.id,
      keys: member.keys,
      forger: await testKeys(),
    });
    await expectRefused(forged, /not trusted|not issued under/);
  });

  it.each([
    ["an expired", EXPIRED],
    ["a future", FUTURE],
  ])("a wrong signature behind %s date", async (_what, validDays) => {
    const wishes = { id: member.id, keys: member.keys, validDays, forger: await testKeys() };
    await expectRefused(await testIdentity(mesh, "member", wishes), /not trusted|not issued under/);
  });

  it("another mesh's root behind an expired date", async () => {
    const foreign = { ...(await testMesh()), id: mesh.id };
    const wishes = { id: member.id, keys: member.keys, validDays: EXPIRED };
    await expectRefused(await testIdentity(foreign, "member", wishes), /not trusted|not issued under/);
  });

  it("a certificate issued by a member's leaf", async () => {
    const issuer = await testIdentity(mesh, "issuer");
    for (const validDays of [[-1, 30], EXPIRED] as const) {
      const wishes = { id: member.id, keys: member.keys, validDays };
      const impostor = await testIdentity(
        { ...mesh, intermediate: { certificate: issuer.leaf, keys: issuer.keys } },
        "member",
        wishes,
      );
      const chain = impostor.certificatePem + mesh.intermediate.certificate.toString("pem");
      await expectRefused({ ...impostor, certificatePem: chain }, /not trusted|not issued under/);
    }
  });

  it("a certificate issued by a key that may not issue, though the root signed it", async () => {
    const issuer = await testIdentity({ ...mesh, intermediate: mesh.root }, "issuer", { bare: true });
    const below = { ...mesh, intermediate: { certificate: issuer.leaf, keys: issuer.keys } };
    const wishes = { id: member.id, keys: member.keys, validDays: EXPIRED };
    await expectRefused(await testIdentity(below, "member", wishes), /not trusted|not issued under/);
  });

  it("a certificate with a critical extension nobody understands", async () => {
    const wishes = { id: member.id, keys: member.keys, extraExtension: strangeExtension() };
    await expectRefused(await testIdentity(mesh, "member", wishes), /not trusted/);
  });

  it("another node than the one that was dialled", async () => {
    const third = await testIdentity(mesh, "third");
    node.transport.trust(trustOf(mesh, node.identity, [member, third]));
    const host = await hostPuppet(third);
    node.transport.dial(member.id, host.address);
    expect((await node.event("dial-failed")).reason).toMatch(/third answered instead/);
    host.close();
  });

  it("TLS 1.2", async () => {
    const caller = await dialAsPuppet(node, member, { maxVersion: "TLSv1.2" });
    await caller.closed;
    expect((await node.event("refused")).failure.message).toMatch(/TLS handshake failed/);
  });

  it("anyone before the roster was read", async () => {
    const blank = await startNode(await testIdentity(mesh, "blank"));
    const caller = await dialAsPuppet(blank, member);
    await caller.closed;
    expect((await blank.event("refused")).failure.message).toMatch(/before the roster/);
    await blank.transport.close();
  });
});

describe("a pinned peer outside its certificate's dates", () => {
  it.each([
    ["expired", EXPIRED],
    ["not yet valid", FUTURE],
  ])("%s: is let in, and flagged", async (_what, validDays) => {
    const late = await testIdentity(mesh, "member", { id: member.id, keys: member.keys, validDays });
    const caller = await dialAsPuppet(node, late);
    expect((await node.event("session-up")).certificateFlagged).toBe(true);
    node.transport.hangUp(member.id);
    await caller.closed;
    const host = await hostPuppet(late);
    node.transport.dial(member.id, host.address);
    (await host.next()).greet();
    expect(await node.event("session-up", (e) => e.address === host.address)).toMatchObject({
      certificateFlagged: true,
    });
    host.close();
  });
});

describe("a peer whose certificate came with an issuer's older one, by a root that is gone", () => {
  const viewOf = (now: TestMesh, issuer: TestMesh): ReturnType<typeof trustOf> => ({
    ...trustOf(now, node.identity, [member]),
    issuers: [issuerPem(issuer)],
  });

  it("is let in, both ways, by the newer certificate of the same key", async () => {
    const now = await underNewRoot(mesh);
    node.transport.trust(viewOf(now, now));
    const caller = await dialAsPuppet(node, member);
    expect(await node.event("session-up")).toMatchObject({ peer: member.id, certificateFlagged: false });
    node.transport.hangUp(member.id);
    await caller.closed;
    const host = await hostPuppet(member);
    node.transport.dial(member.id, host.address);
    (await host.next()).greet();
    await node.event("session-up", ({ address }) => address === host.address);
    host.close();
  });

  it("keeps its session while the root is changed above the key, and loses it with the key", async () => {
    const now = await underNewRoot(mesh);
    const caller = await dialAsPuppet(node, member);
    await node.event("session-up");
    node.transport.trust(viewOf(now, now));
    expect(node.transport.stats().sessions).toBe(1);
    node.transport.trust(trustOf(now, node.identity, [member]));
    expect(await caller.bye()).toBe("revoked");
  });

  it("is not let in by an issuer that no trusted root stands above", async () => {
    node.transport.trust(viewOf(await underNewRoot(mesh), await underNewRoot(mesh)));
    await expectRefused(member, /not trusted|not issued under/);
    node.transport.trust(viewOf(await underNewRoot(mesh), mesh));
    await (await dialAsPuppet(node, member)).closed;
    expect(node.transport.stats().sessions).toBe(0);
  });

  it.each([
    ["a wrong signature", [-1, 30]],
    ["a wrong signature behind an expired date", EXPIRED],
  ] as const)("is not let in with %s", async (_what, validDays) => {
    const now = await underNewRoot(mesh);
    node.transport.trust(viewOf(now, now));
    const wishes = { id: member.id, keys: member.keys, validDays, forger: await testKeys() };
    await expectRefused(await testIdentity(mesh, "member", wishes), /not trusted|not issued under/);
  });
});

describe("no key outlives its connection", () => {
  it("a peer that keeps its TLS session cannot resume it", async () => {
    const first = await dialAsPuppet(node, member);
    let ticket: Buffer | undefined;
    first.socket.on("session", (session: Buffer) => {
      ticket = session;
    });
    await node.event("session-up");
    node.transport.send(member.id, "stream", beat(1));
    await first.frame(FRAME_HELLO);
    node.transport.hangUp(member.id);
    await first.closed;
    const second = await dialAsPuppet(node, member, ticket === undefined ? {} : { session: ticket });
    await node.event("session-up", ({ session }) => session === second.box.session);
    expect(second.socket.isSessionReused()).toBe(false);
  });
});

describe("a peer that is no longer trusted", () => {
  const others = async (): Promise<readonly [string, ReturnType<typeof trustOf>][]> => {
    const self = node.identity;
    const rekeyed = await testIdentity(mesh, "member", { id: member.id });
    return [
      ["left out", trustOf(mesh, self, [])],
      ["given another key", trustOf(mesh, self, [rekeyed])],
      ["under another root", { ...trustOf(mesh, self, [member]), roots: [rootPem(await testMesh())] }],
    ];
  };

  it.each([0, 1, 2])("is cut off at once, streams and datagrams (%i)", async (which) => {
    const [, view] = (await others())[which] ?? ["", trustOf(mesh, node.identity, [])];
    const peer = await dialAsPuppet(node, member);
    await node.event("session-up");
    await shoot(node, peer.seal(beat(1)));
    await node.event("received");
    const late = peer.seal(beat(2));
    node.transport.trust(view);
    expect(node.events.at(-1)).toMatchObject({ type: "session-down", peer: member.id, end: "revoked" });
    const count = node.events.length;
    peer.send(beat(3));
    await shoot(node, late);
    expect((await node.event("refused")).failure.message).toMatch(/belongs to no session/);
    expect(await peer.bye()).toBe("revoked");
    await peer.closed;
    expect(node.events.slice(count).map(({ type }) => type)).toEqual(["refused"]);
    node.transport.send(member.id, "datagram", beat(4));
    expect(node.transport.stats().dropped).toBe(1);
    const again = await dialAsPuppet(node, member);
    await again.closed;
    expect(node.transport.stats().sessions).toBe(0);
  });

  it("is cut off while it has yet to greet", async () => {
    const peer = await dialAsPuppet(node, member, { hello: false });
    await peer.frame(FRAME_HELLO);
    node.transport.trust(trustOf(mesh, node.identity, []));
    peer.greet();
    await peer.closed;
    expect(node.events.filter(({ type }) => type === "session-up")).toEqual([]);
  });

  it("is not missed by the others: their sessions stay", async () => {
    const third = await testIdentity(mesh, "third", { id: "33333333-3333-4333-8333-333333333333" as NodeId });
    node.transport.trust(trustOf(mesh, node.identity, [member, third]));
    const [one] = [await dialAsPuppet(node, member), await dialAsPuppet(node, third)];
    await node.event("session-up", ({ peer }) => peer === third.id);
    node.transport.trust(trustOf(mesh, node.identity, [member]));
    await node.event("session-down", ({ peer }) => peer === third.id);
    node.transport.send(member.id, "stream", beat(1));
    await once(one.socket, "frame");
    expect(node.transport.stats().sessions).toBe(1);
  });
});
