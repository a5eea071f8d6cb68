/** The datagram plane under attack, and a peer that breaks the protocol or speaks a newer one. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FRAME_BYE, FRAME_ENVELOPE, FRAME_HELLO } from "../../src/adapters/mesh/frames.ts";
import { type TestIdentity, testIdentity, testMesh, trustOf } from "./mesh-identities.ts";
import { dialAsPuppet, hostPuppet, type Puppet, shoot } from "./mesh-puppet.ts";
import { beat, startNode, type TestNode } from "./mesh-rig.ts";

let node: TestNode;
let member: TestIdentity;
let peer: Puppet;
beforeEach(async () => {
  const mesh = await testMesh();
  const self = await testIdentity(mesh, "self");
  member = await testIdentity(mesh, "member");
  node = await startNode(self, { trust: trustOf(mesh, self, [member]) });
  peer = await dialAsPuppet(node, member);
  await node.event("session-up");
});
afterEach(() => node.transport.close());

const seqs = (): number[] =>
  node.events.flatMap((e) =>
    e.type === "received" && "seq" in e.envelope.message ? [e.envelope.message.seq] : [],
  );
/** Nothing that was sent before is still under way: datagrams to one socket keep their order on loopback. */
async function settled(seq: number): Promise<void> {
  await shoot(node, peer.seal(beat(seq)));
  await node.event("received", ({ envelope }) => "seq" in envelope.message && envelope.message.seq === seq);
}

describe("a datagram", () => {
  it("replayed is refused, at once and later, from the same place or another", async () => {
    const packet = peer.seal(beat(1));
    await shoot(node, packet, packet);
    await settled(2);
    await shoot(node, packet);
    await settled(3);
    expect(seqs()).toEqual([1, 2, 3]);
    expect(node.transport.stats().refused["protocol-violation"]).toBe(2);
    expect((await node.event("refused")).failure.message).toBe(
      "a datagram said to be from member was replayed",
    );
  });

  it("forged in any byte is refused, and the true one still counts", async () => {
    const packet = peer.seal(beat(1));
    const forged = [...packet.keys()].map((at) => {
      const copy = Buffer.from(packet);
      copy[at] = (copy[at] ?? 0) ^ 0x40;
      return copy;
    });
    await shoot(node, ...forged, packet);
    await settled(2);
    expect(seqs()).toEqual([1, 2]);
    expect(node.transport.stats().refused["protocol-violation"]).toBe(packet.length);
  });

  it("reflected to its sender is refused", async () => {
    const { createSocket } = await import("node:dgram");
    const { once } = await import("node:events");
    const catcher = createSocket("udp4");
    catcher.bind(0, peer.socket.localAddress);
    await once(catcher, "listening");
    const caught = once(catcher, "message");
    const redirected = await dialAsPuppet(node, member, {
      hello: { udpPort: catcher.address().port },
      ...(peer.socket.localAddress === undefined ? {} : { host: peer.socket.localAddress }),
    });
    await node.event("session-up", ({ session }) => session === redirected.box.session);
    node.transport.send(member.id, "datagram", beat(9));
    const [packet] = await caught;
    expect(redirected.box.open(packet)).toBeInstanceOf(Buffer);
    await shoot(node, packet);
    const refused = await node.event("refused", ({ failure }) => failure.message.includes("forged"));
    expect(refused.failure.code).toBe("protocol-violation");
    expect(seqs()).toEqual([]);
    catcher.close();
  });

  it("of a closed session is refused", async () => {
    const packet = peer.seal(beat(1));
    node.transport.hangUp(member.id);
    await shoot(node, packet);
    expect((await node.event("refused")).failure.message).toBe("a datagram belongs to no session");
    expect(seqs()).toEqual([]);
  });

  it("of a replaced session is refused, while the new one's count", async () => {
    const old = peer;
    peer = await dialAsPuppet(node, member);
    await node.event("session-up", ({ session }) => session === peer.box.session);
    await shoot(node, old.seal(beat(1)));
    await settled(2);
    expect(seqs()).toEqual([2]);
    expect((await node.event("refused")).failure.message).toBe("a datagram belongs to no session");
  });

  it("that overtakes the hello is dropped without being held against anyone", async () => {
    const early = await dialAsPuppet(node, member, { hello: false });
    await early.frame(FRAME_HELLO);
    await shoot(node, early.seal(beat(1)));
    await settled(2);
    expect(seqs()).toEqual([2]);
    expect(node.transport.stats()).toMatchObject({ datagramsEarly: 1, refused: {} });
  });

  it("of garbage, or authentic with garbage inside, is refused and the session stays", async () => {
    await shoot(node, Buffer.from("hello"), Buffer.alloc(0), Buffer.alloc(1400, 0xb1));
    const sealed = peer.box.seal(Buffer.from("{not json"));
    await shoot(node, sealed ?? Buffer.alloc(0));
    await settled(2);
    expect(node.transport.stats()).toMatchObject({ sessions: 1, refused: { "protocol-violation": 4 } });
  });

  it("refused in great numbers is counted, and told of only now and then", async () => {
    const packet = peer.seal(beat(1));
    await shoot(node, ...Array<Buffer>(300).fill(packet));
    await settled(2);
    expect(node.transport.stats().refused["protocol-violation"]).toBe(299);
    expect(node.events.filter(({ type }) => type === "refused").length).toBeLessThanOrEqual(40);
  });
});

describe("a peer that breaks the protocol loses its session, and the node lives", () => {
  it.each([
    [
      "a frame longer than allowed",
      (puppet: Puppet) => puppet.socket.write(Buffer.from([0x7f, 0xff, 0xff, 0xff, 3])),
    ],
    ["an empty frame", (puppet: Puppet) => puppet.socket.write(Buffer.alloc(4))],
    ["random bytes", (puppet: Puppet) => puppet.socket.write(Buffer.from("GET / HTTP/1.1\r\n\r\n"))],
    ["a message that is no JSON", (puppet: Puppet) => puppet.say(FRAME_ENVELOPE, "\0\0")],
    ["a malformed message", (puppet: Puppet) => puppet.say(FRAME_ENVELOPE, '{"v":1,"m":{"t":"beat"}}')],
    [
      "a message of another version",
      (puppet: Puppet) => puppet.say(FRAME_ENVELOPE, '{"v":9,"m":{"t":"ack","numbers":[]}}'),
    ],
    ["a second hello", (puppet: Puppet) => puppet.greet()],
  ])("%s", async (_what, misbehave) => {
    misbehave(peer);
    const refused = await node.event("refused");
    expect(refused.failure.message).toMatch(/^member: /);
    expect(refused.remote).toContain(peer.socket.localAddress ?? "?");
    expect((await node.event("session-down")).end).toBe("local");
    expect(await peer.bye()).toBe(refused.failure.code === "version-unsupported" ? "version" : "violation");
    await peer.closed;
    peer = await dialAsPuppet(node, member);
    await node.event("session-up", ({ session }) => session === peer.box.session);
    await settled(1);
  });

  it.each([
    ["an envelope before the hello", (puppet: Puppet) => puppet.send(beat(1))],
    ["a hello of garbage", (puppet: Puppet) => puppet.say(FRAME_HELLO, "hello")],
    ["a frame larger than a hello", (puppet: Puppet) => puppet.say(FRAME_HELLO, "x".repeat(5000))],
  ])("or gets none: %s", async (_what, misbehave) => {
    node.transport.hangUp(member.id);
    const second = await dialAsPuppet(node, member, { hello: false });
    misbehave(second);
    expect((await node.event("refused")).failure.code).toBe("protocol-violation");
    expect(await second.bye()).toBe("violation");
    expect(node.events.filter(({ type }) => type === "session-up")).toHaveLength(1);
    expect(seqs()).toEqual([]);
  });
});

describe("a peer of a newer release", () => {
  it("without a common version is refused with a clear reason, and keeps its old session", async () => {
    const newer = await dialAsPuppet(node, member, { hello: { versions: [9, 9] } });
    const refused = await node.event("refused");
    expect(refused.failure).toMatchObject({
      code: "version-unsupported",
      message: "member: it speaks protocol 9, this release 1",
      remedy: expect.stringContaining("Upgrade"),
    });
    expect(await newer.bye()).toBe("version");
    await settled(1);
  });

  it("that we dial: the attempt fails with that reason", async () => {
    const host = await hostPuppet(member);
    node.transport.dial(member.id, host.address);
    (await host.next()).greet({ versions: [2, 9] });
    expect((await node.event("dial-failed")).reason).toBe("it speaks protocol 2 to 9, this release 1");
    host.close();
  });

  it("that refuses us for our version: the attempt fails with that reason", async () => {
    const host = await hostPuppet(member);
    node.transport.dial(member.id, host.address);
    (await host.next()).say(FRAME_BYE, '{"reason":"version"}');
    expect((await node.event("dial-failed")).reason).toBe("the peer speaks no protocol version of ours");
    host.close();
  });

  it("that also speaks ours is a peer like any other; what only it knows is skipped", async () => {
    peer = await dialAsPuppet(node, member, { hello: { versions: [1, 9], compression: ["zstd"] } });
    await node.event("session-up", ({ session }) => session === peer.box.session);
    peer.say(FRAME_ENVELOPE, '{"v":1,"m":{"t":"thermal-news"}}');
    peer.say(77, "a frame of a kind to come");
    peer.say(FRAME_ENVELOPE, JSON.stringify({ v: 1, x: 1, m: { ...beat(5).message, mood: "good" } }));
    await shoot(node, peer.box.seal(Buffer.from('{"v":1,"m":{"t":"thermal-news"}}')) ?? Buffer.alloc(0));
    await settled(6);
    await node.event("received", ({ plane }) => plane === "stream");
    expect(seqs().toSorted()).toEqual([5, 6]);
    expect(node.transport.stats()).toMatchObject({ unknownMessages: 3, refused: {} });
  });
});
