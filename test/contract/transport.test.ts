/** The mesh transport: two real ones, and what they promise each other. */
import { afterEach, describe, expect, it } from "vitest";
import type { Envelope } from "../../src/core/messages.ts";
import { beat, connect, type Pair, startPair } from "./mesh-rig.ts";

let pair: Pair;
afterEach(async () => {
  await Promise.all([pair.a.transport.close(), pair.b.transport.close()]);
});

describe("two nodes that trust each other", () => {
  it("talk on both planes, both ways", async () => {
    pair = await startPair();
    const { a, b } = pair;
    await connect(a, b);
    a.transport.send(b.identity.id, "datagram", beat(1));
    b.transport.send(a.identity.id, "datagram", beat(2));
    const want: Envelope = { number: 7, message: { t: "roster-want", have: { term: 1, epoch: 2 } } };
    a.transport.send(b.identity.id, "stream", want);
    b.transport.send(a.identity.id, "stream", want);
    for (const [node, seq] of [
      [b, 1],
      [a, 2],
    ] as const) {
      expect((await node.event("received", (e) => e.plane === "datagram")).envelope).toEqual(beat(seq));
      expect((await node.event("received", (e) => e.plane === "stream")).envelope).toEqual(want);
    }
  });
});
