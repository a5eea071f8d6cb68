/** The mesh transport among friends: both planes, one session a pair, every kind of end. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Envelope } from "../../src/core/messages.ts";
import type { Address, NodeId } from "../../src/core/types.ts";
import { FailureError } from "../../src/kit/result.ts";
import { testIdentity, testMesh, trustOf } from "./mesh-identities.ts";
import { dialAsPuppet, hostPuppet } from "./mesh-puppet.ts";
import {
  beat,
  connect,
  freshHost,
  type Pair,
  PORT,
  startNode,
  startPair,
  type TestNode,
} from "./mesh-rig.ts";

let pair: Pair;
let a: TestNode;
let b: TestNode;
beforeEach(async () => {
  pair = await startPair();
  ({ a, b } = pair);
});
afterEach(async () => {
  await Promise.all([a.transport.close(), b.transport.close()]);
});

const want: Envelope = {
  number: 7,
  message: { t: "roster-want", have: { generation: 1, term: 1, opener: "opener-a", epoch: 2 } },
};
const ups = (node: TestNode): string[] =>
  node.events.flatMap((e) => (e.type === "session-up" ? [e.session] : []));
const downs = (node: TestNode): string[] =>
  node.events.flatMap((e) => (e.type === "session-down" ? [e.end] : []));

describe("two nodes that trust each other", () => {
  it("talk on both planes, both ways", async () => {
    const session = await connect(a, b);
    a.transport.send(b.identity.id, "datagram", beat(1));
    b.transport.send(a.identity.id, "datagram", beat(2));
    a.transport.send(b.identity.id, "stream", want);
    b.transport.send(a.identity.id, "stream", want);
    for (const [node, other, seq] of [
      [b, a, 1],
      [a, b, 2],
    ] as const) {
      const common = { type: "received", peer: other.identity.id, session };
      expect(await node.event("received", (e) => e.plane === "datagram")).toEqual({
        ...common,
        plane: "datagram",
        envelope: beat(seq),
      });
      expect(await node.event("received", (e) => e.plane === "stream")).toEqual({
        ...common,
        plane: "stream",
        envelope: want,
      });
    }
  });

  it("know each other's address and when the certificate ends", async () => {
    await connect(a, b);
    const up = await a.event("session-up");
    expect(up).toMatchObject({ peer: b.identity.id, address: b.address, certificateFlagged: false });
    expect(up.certificateExpires - Date.now()).toBeGreaterThan(29 * 86_400_000);
    expect((await b.event("session-up")).address.startsWith(`${a.host}:`)).toBe(true);
  });

  it("send over the stream what is too large for a datagram", async () => {
    await connect(a, b);
    const large: Envelope = { message: { t: "roster", signed: "r".repeat(100_000) } };
    a.transport.send(b.identity.id, "datagram", large);
    expect(await b.event("received")).toMatchObject({ plane: "stream", envelope: large });
    expect(a.transport.stats().datagramsTooLarge).toBe(1);
  });

  it("carry a roster of the greatest length, and drop what no frame can hold", async () => {
    await connect(a, b);
    a.transport.send(b.identity.id, "stream", { message: { t: "roster", signed: "r".repeat(2_200_000) } });
    const greatest: Envelope = { message: { t: "roster", signed: '"'.repeat(1_048_576) } };
    a.transport.send(b.identity.id, "stream", greatest);
    expect((await b.event("received")).envelope).toEqual(greatest);
    expect(a.transport.stats().dropped).toBe(1);
  });

  it("drop what is sent without a session, and say nothing of it", () => {
    a.transport.send(b.identity.id, "datagram", beat(1));
    a.transport.hangUp(b.identity.id);
    expect(a.transport.stats().dropped).toBe(1);
    expect(a.events).toEqual([]);
  });
});

it("IPv6 addresses work as well, however they are written", async () => {
  const identities = [a.identity, b.identity] as const;
  await Promise.all([a.transport.close(), b.transport.close()]);
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const [one, two] = await Promise.all(
    identities.map((identity, place) => {
      const trust = trustOf(pair.mesh, identity, [identities[1 - place] ?? identity]);
      return startNode(identity, { trust, address: `[0:0:0:0:0:0:0:1]:${port + place}` as Address });
    }),
  );
  if (one === undefined || two === undefined) throw new Error("two were started");
  await connect(one, two);
  one.transport.send(two.identity.id, "datagram", beat(1));
  two.transport.send(one.identity.id, "datagram", beat(2));
  expect((await two.event("received")).plane).toBe("datagram");
  expect((await one.event("received")).plane).toBe("datagram");
  await Promise.all([one.transport.close(), two.transport.close()]);
});

describe("one session a pair", () => {
  it("when both dial at once: the one dialled by the lower id, known to both", async () => {
    for (let round = 0; round < 5; round += 1) {
      a.transport.dial(b.identity.id, b.address);
      b.transport.dial(a.identity.id, a.address);
      // `a` has the lower id; over the session it dialled, it sees b's own port.
      const kept = await a.event(
        "session-up",
        (e) => e.address === b.address && !downsNamed(a).includes(e.session),
      );
      await b.event("session-up", (e) => e.session === kept.session);
      a.transport.send(b.identity.id, "stream", beat(round));
      const at = await b.event(
        "received",
        ({ envelope }) => "seq" in envelope.message && envelope.message.seq === round,
      );
      expect(at.session).toBe(kept.session);
      a.transport.hangUp(b.identity.id);
      await b.event("session-down", (e) => e.session === kept.session);
    }
    expect(new Set([...downs(a), ...downs(b)])).toEqual(new Set(["local", "replaced"]));
  });

  it.each(["lower", "higher"])("when the side with the %s id dials again: the newer one", async (which) => {
    const [from, to] = which === "lower" ? [a, b] : [b, a];
    const first = await connect(from, to);
    const second = await connect(from, to);
    expect(second).not.toBe(first);
    for (const node of [a, b]) {
      expect(await node.event("session-down")).toMatchObject({ session: first, end: "replaced" });
      expect(node.transport.stats().sessions).toBe(1);
    }
    b.transport.send(a.identity.id, "datagram", beat(5));
    expect((await a.event("received")).session).toBe(second);
  });

  it("when the higher id gives up the lower one's session and dials: the newer one, at both", async () => {
    const first = await connect(a, b);
    b.transport.dial(a.identity.id, a.address);
    for (const node of [a, b]) {
      await node.event("session-down", (e) => e.session === first && e.end === "replaced");
      await node.event("session-up", (e) => e.session !== first);
      expect(node.transport.stats().sessions).toBe(1);
    }
    expect(ups(a)).toEqual(ups(b));
  });

  it("when a peer restarted and dials, though the lower id had dialled: the newer one", async () => {
    const { stranded, node, identity } = await strandedPeer();
    const before = ups(node)[0];
    const again = await dialAsPuppet(node, identity, { hello: { life: "cd".repeat(8) } });
    await node.event("session-down", (e) => e.session === before && e.end === "replaced");
    await node.event("session-up", (e) => e.session === again.box.session);
    expect(await stranded.bye()).toBe("replaced");
    await node.transport.close();
  });

  it("when a peer gave its session up and dials anew, though the lower id had dialled: the newer one", async () => {
    const { node, identity } = await strandedPeer();
    const [before = ""] = ups(node);
    const again = await dialAsPuppet(node, identity, { hello: { ended: before } });
    await node.event("session-up", (e) => e.session === again.box.session);
    await node.transport.close();
  });

  it("when a peer that still has the lower id's session dials: the one it has", async () => {
    const { node, identity } = await strandedPeer();
    const again = await dialAsPuppet(node, identity);
    expect(await again.bye()).toBe("replaced");
    expect(ups(node)).toHaveLength(1);
    expect(downs(node)).toEqual([]);
    await node.transport.close();
  });
});

const downsNamed = (node: TestNode): string[] =>
  node.events.flatMap((e) => (e.type === "session-down" ? [e.session] : []));

/** A node with the lower id holds a session that it dialled to a peer of our making. */
async function strandedPeer() {
  const mesh = await testMesh();
  const low = await testIdentity(mesh, "low", { id: "00000000-0000-4000-8000-000000000001" as NodeId });
  const identity = await testIdentity(mesh, "high", { id: "ffffffff-0000-4000-8000-000000000001" as NodeId });
  const node = await startNode(low, { trust: trustOf(mesh, low, [identity]) });
  const host = await hostPuppet(identity);
  node.transport.dial(identity.id, host.address);
  const stranded = await host.next();
  stranded.greet();
  await node.event("session-up");
  host.close();
  return { node, identity, stranded };
}

describe("the end of a session", () => {
  it("hung up: local here, no reason for suspicion there", async () => {
    await connect(a, b);
    a.transport.hangUp(b.identity.id);
    expect((await a.event("session-down")).end).toBe("local");
    expect((await b.event("session-down")).end).toBe("replaced");
    expect(a.transport.stats().sessions).toBe(0);
    await connect(b, a);
  });

  it("stopped: a goodbye there", async () => {
    await connect(a, b);
    await a.transport.close();
    expect((await b.event("session-down")).end).toBe("goodbye");
  });

  it.each(["destroyed", "closed without a bye"])("%s: a reset", async (how) => {
    const { identity } = b;
    await b.transport.close();
    const puppet = await dialAsPuppet(a, identity);
    await a.event("session-up");
    if (how === "destroyed") puppet.socket.destroy();
    else puppet.socket.end();
    expect((await a.event("session-down")).end).toBe("reset");
  });

  it("a peer that does not read: a reset, before its messages fill the memory", async () => {
    const puppet = await dialAsPuppet(a, b.identity);
    await a.event("session-up");
    puppet.socket.pause();
    const roster: Envelope = { message: { t: "roster", signed: "r".repeat(1_000_000) } };
    for (let count = 0; count < 40 && downs(a).length === 0; count += 1)
      a.transport.send(b.identity.id, "stream", roster);
    expect(downs(a)).toEqual(["reset"]);
    expect(a.transport.stats().streamBytesSent).toBeLessThan(25_000_000);
  });
});

/** Takes connections, says nothing. */
async function listenMutely(): Promise<{ readonly server: Server; readonly address: Address }> {
  const server = createServer(() => {}).listen(PORT, freshHost());
  await once(server, "listening");
  const address = server.address();
  const host = typeof address === "object" ? (address?.address ?? "") : "";
  return { server, address: `${host}:${PORT}` as Address };
}

describe("an attempt that fails", () => {
  it("says which peer, which address and why", async () => {
    const nowhere = `${freshHost()}:${PORT}` as Address;
    a.transport.dial(b.identity.id, nowhere);
    a.transport.dial(b.identity.id, nowhere);
    const failed = await a.event("dial-failed");
    expect(failed).toMatchObject({ peer: b.identity.id, address: nowhere });
    expect(failed.reason).toContain("nothing listens there");
    await connect(a, b);
    expect(a.events.filter(({ type }) => type === "dial-failed")).toHaveLength(1);
  });

  it("when another node answers at that address, its session is not used", async () => {
    const mesh = pair.mesh;
    const c = await testIdentity(mesh, "c");
    a.transport.trust(trustOf(mesh, a.identity, [b.identity, c]));
    a.transport.dial(c.id, b.address);
    expect((await a.event("dial-failed")).reason).toContain("answered instead");
    expect(ups(a)).toEqual([]);
  });

  it("when the address is none, or nobody is trusted yet", async () => {
    a.transport.dial(b.identity.id, "somewhere" as Address);
    expect((await a.event("dial-failed")).reason).toBe("this is not an address");
    const blank = await startNode(a.identity);
    blank.transport.dial(b.identity.id, b.address);
    expect((await blank.event("dial-failed")).reason).toBe("nobody is trusted yet");
    await blank.transport.close();
  });

  it("when what listens there never answers", async () => {
    const mute = await listenMutely();
    a.transport.dial(b.identity.id, mute.address);
    expect((await a.event("dial-failed")).reason).toBe("the peer does not greet");
    mute.server.close();
  }, 15_000);

  it("when the peer is removed meanwhile, whose connection is closed at once, or was removed before", async () => {
    const mute = await listenMutely();
    a.transport.dial(b.identity.id, mute.address);
    const [socket] = (await once(mute.server, "connection")) as [Socket];
    const closed = once(socket.resume(), "close");
    a.transport.trust(trustOf(pair.mesh, a.identity, []));
    expect((await a.event("dial-failed")).reason).toBe("the peer is not in the roster");
    await closed;
    a.transport.dial(b.identity.id, b.address);
    expect((await a.event("dial-failed", ({ address }) => address === b.address)).reason).toBe(
      "the peer is not in the roster",
    );
    mute.server.close();
  });
});

describe("listening", () => {
  const failureOf = async (attempt: Promise<unknown>): Promise<unknown> => {
    const error = await attempt.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return error instanceof FailureError ? error.failure : error;
  };

  it("names the address that is taken, by TCP or UDP, and keeps none of the others", async () => {
    const free = freshHost();
    expect(await failureOf(startNode(a.identity, { host: a.host }))).toMatchObject({
      code: "address-in-use",
      message: expect.stringContaining(a.address),
      remedy: expect.stringContaining(`:${PORT}`),
    });
    const blank = await startNode(a.identity);
    expect(
      await failureOf(blank.transport.listen([`${free}:${PORT}`, b.address] as Address[])),
    ).toMatchObject({
      code: "address-in-use",
    });
    const heir = await startNode(a.identity, { host: free });
    await Promise.all([blank.transport.close(), heir.transport.close()]);
  });

  it("names the address that is none of this host's, or no address", async () => {
    for (const address of ["192.0.2.7:7654", "300.1.1.1:7654", "localhost"]) {
      const blank = await startNode(a.identity);
      expect(await failureOf(blank.transport.listen([address as Address]))).toMatchObject({
        code: "address-invalid",
        message: expect.stringContaining(address),
      });
      await blank.transport.close();
    }
  });
});
