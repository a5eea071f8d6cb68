/** The mesh port: what is let through to TLS, what is relayed, and what gets no further than its first bytes. */
import { once } from "node:events";
import { connect as connectRaw, createServer, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SPLICES_MAX } from "../../src/adapters/mesh/splice.ts";
import { UNAUTHENTICATED_MAX, UNAUTHENTICATED_PER_HOST_MAX } from "../../src/adapters/mesh/waiting-room.ts";
import type { Address } from "../../src/core/types.ts";
import { type TestIdentity, type TestMesh, testIdentity, testMesh, trustOf } from "./mesh-identities.ts";
import { dialAsPuppet } from "./mesh-puppet.ts";
import { freshHost, PORT, startNode, type TestNode } from "./mesh-rig.ts";

let mesh: TestMesh;
let member: TestIdentity;
/** The keymaster; hands joins to `joins`. */
let node: TestNode;
let joins: TLSSocket[];
const open: Socket[] = [];

beforeEach(async () => {
  mesh = await testMesh();
  const self = await testIdentity(mesh, "keymaster");
  member = await testIdentity(mesh, "member");
  joins = [];
  node = await startNode(self, {
    trust: trustOf(mesh, self, [member]),
    onJoin: (socket) => {
      joins.push(socket);
      socket.write("welcome\n");
      socket.pipe(socket);
    },
  });
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await node.transport.close();
});

function call(host: string, from: string = freshHost()): Socket {
  const socket = connectRaw({ host, port: PORT, localAddress: from });
  socket.on("error", () => {});
  open.push(socket);
  return socket;
}

function callToJoin(host: string, alpn = "balefire-join/1"): TLSSocket {
  const socket = connectTls({
    host,
    port: PORT,
    rejectUnauthorized: false,
    ALPNProtocols: [alpn],
    minVersion: "TLSv1.3",
  });
  socket.on("error", () => {});
  open.push(socket);
  return socket;
}
/** However it ends. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });

/** A TCP relay that passes every byte towards the node on its own. */
async function trickle(target: string): Promise<{ host: string; close: () => void }> {
  const host = freshHost();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connectRaw({ host: target, port: PORT, noDelay: true });
    upstream.on("error", () => client.destroy());
    client.on("error", () => upstream.destroy());
    upstream.pipe(client);
    client.on("data", (chunk: Buffer) => {
      for (const byte of chunk) upstream.write(Buffer.from([byte]));
    });
    client.on("close", () => upstream.destroy());
  });
  server.listen(PORT, host);
  await once(server, "listening");
  return { host, close: () => server.close() };
}

describe("a ClientHello", () => {
  it("that comes byte by byte is still understood", async () => {
    const slow = await trickle(node.host);
    const peer = await dialAsPuppet(slow, member);
    await node.event("session-up");
    peer.socket.destroy();
    slow.close();
  });

  it.each([
    ["garbage", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["zeros", Buffer.alloc(64)],
    [
      "one that never ends",
      Buffer.concat([Buffer.from([22, 3, 1, 0x3f, 0xff, 1, 0, 0x3f, 0]), Buffer.alloc(9000)]),
    ],
  ])("%s is closed at once and counted", async (_what, bytes) => {
    const socket = call(node.host);
    socket.write(bytes);
    await closed(socket);
    expect((await node.event("refused")).failure.code).toMatch(/protocol-violation|limit-reached/);
    expect(node.transport.stats().unauthenticated).toBe(0);
  });

  it("that asks for another protocol, or none, is closed and counted", async () => {
    await closed(callToJoin(node.host, "http/1.1"));
    const none = connectTls({ host: node.host, port: PORT, rejectUnauthorized: false });
    none.on("error", () => {});
    await closed(none);
    expect(node.transport.stats().refused).toEqual({ "protocol-violation": 2 });
  });

  it("of which only half comes before the connection ends is counted", async () => {
    const socket = call(node.host);
    socket.end(Buffer.from([22, 3]));
    await closed(socket);
    expect((await node.event("refused")).failure.message).toMatch(/ended before it began/);
  });
});

describe("idle connections", () => {
  it("of one host push each other out, and peers come in", async () => {
    const from = freshHost();
    const idle = Array.from({ length: 200 }, () => call(node.host, from));
    await Promise.all(idle.slice(0, 200 - UNAUTHENTICATED_PER_HOST_MAX).map(closed));
    expect(node.transport.stats().unauthenticated).toBe(UNAUTHENTICATED_PER_HOST_MAX);
    await dialAsPuppet(node, member);
    await node.event("session-up");
    const same = await dialAsPuppet(node, member, { host: from });
    await node.event("session-up", ({ session }) => session === same.box.session);
  });

  it("of 200 hosts are bounded, peers come in, and the rest is gone after five seconds", async () => {
    const idle = Array.from({ length: 200 }, () => call(node.host));
    await Promise.all(idle.slice(0, 200 - UNAUTHENTICATED_MAX).map(closed));
    expect(node.transport.stats().unauthenticated).toBe(UNAUTHENTICATED_MAX);
    const began = performance.now();
    await dialAsPuppet(node, member);
    await node.event("session-up");
    expect(performance.now() - began).toBeLessThan(2000);
    // One that stops in the middle of its greeting is no better than one that says nothing.
    const mute = await dialAsPuppet(node, member, { hello: false });
    await Promise.all([...idle.map(closed), mute.closed]);
    expect(node.transport.stats()).toMatchObject({ unauthenticated: 0, sessions: 1 });
  }, 15_000);
});

describe("a join", () => {
  it("at the keymaster reaches whoever serves joins, without a certificate of its own", async () => {
    const joiner = callToJoin(node.host);
    const [greeting] = await once(joiner, "data");
    expect(`${greeting}`).toBe("welcome\n");
    expect(joins).toHaveLength(1);
    expect(joins[0]?.alpnProtocol).toBe("balefire-join/1");
  });

  it("at another node is relayed unread: the joiner sees the keymaster's certificate", async () => {
    const relay = await startRelay([node.address]);
    const joiner = callToJoin(relay.host);
    await once(joiner, "data");
    expect(joiner.getPeerX509Certificate()?.subjectAltName).toContain(node.identity.id);
    const keys = (socket: TLSSocket | undefined): string | undefined =>
      socket?.exportKeyingMaterial(32, "EXPORTER-balefire-join", Buffer.alloc(0)).toString("hex");
    expect(keys(joiner)).toBe(keys(joins[0]));
    const echo = once(joiner, "data");
    joiner.write("request\n");
    expect(`${(await echo)[0]}`).toBe("request\n");
    joins[0]?.end("the last word\n");
    const [last] = await once(joiner, "data");
    expect(`${last}`).toBe("the last word\n");
    await closed(joiner);
    await expect.poll(() => relay.transport.stats().splices).toBe(0);
    expect(relay.transport.stats()).toMatchObject({ unauthenticated: 0, refused: {} });
    await relay.transport.close();
  });

  it("is relayed to the keymaster's next address when the first does not answer", async () => {
    const relay = await startRelay([`${freshHost()}:${PORT}` as Address, node.address]);
    const joiner = callToJoin(relay.host);
    await once(joiner, "data");
    await relay.transport.close();
  });

  it("is closed when the keymaster is nowhere", async () => {
    const relay = await startRelay([`${freshHost()}:${PORT}` as Address]);
    await closed(callToJoin(relay.host));
    expect((await relay.event("refused")).failure).toMatchObject({
      code: "keymaster-unreachable",
      retry: true,
    });
    await relay.transport.close();
  });

  it("is relayed for a few at a time only", async () => {
    const relay = await startRelay([node.address]);
    const some = Array.from({ length: SPLICES_MAX }, () => callToJoin(relay.host));
    await Promise.all(some.map((joiner) => once(joiner, "data")));
    await closed(callToJoin(relay.host));
    expect((await relay.event("refused")).failure.code).toBe("limit-reached");
    some[0]?.destroy();
    await closed(joins[0] ?? callToJoin(""));
    await once(callToJoin(relay.host), "data");
    await relay.transport.close();
  });

  it("that sends more than a join takes is cut", async () => {
    const relay = await startRelay([node.address]);
    const joiner = callToJoin(relay.host);
    await once(joiner, "data");
    joiner.write(Buffer.alloc(1_000_000));
    await closed(joiner);
    await expect.poll(() => relay.transport.stats().splices).toBe(0);
    await relay.transport.close();
  });

  it("is served by the keymaster for a few at a time only", async () => {
    const some = Array.from({ length: 8 }, () => callToJoin(node.host));
    await Promise.all(some.map((joiner) => once(joiner, "data")));
    await closed(callToJoin(node.host));
    expect((await node.event("refused")).failure.code).toBe("limit-reached");
  });

  it("is not relayed by a node whose own certificate ran out", async () => {
    const relay = await startRelay([node.address], [-40, -10]);
    await closed(callToJoin(relay.host));
    expect((await relay.event("refused")).failure.code).toBe("certificate-invalid");
    expect(joins).toEqual([]);
    await relay.transport.close();
  });
});

async function startRelay(
  keymaster: readonly Address[],
  validDays?: readonly [number, number],
): Promise<TestNode> {
  const identity = await testIdentity(mesh, "relay", validDays === undefined ? {} : { validDays });
  const trust = trustOf(mesh, identity, [member], { id: node.identity.id, addresses: keymaster });
  return startNode(identity, { trust });
}
