import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SAMPLE_EXPORTER, SAMPLES } from "../../../test/contract/protocol-samples.ts";
import { decodeEnvelope } from "../../wire/envelope.ts";
import {
  claimedSession,
  DATAGRAM_BYTES_MAX,
  DATAGRAM_HEADER_BYTES,
  DATAGRAM_PLAINTEXT_BYTES_MAX,
  DatagramBox,
  type Exporter,
} from "./datagram-box.ts";

/** Stands for one TLS connection: the same output at both ends, another for each connection. */
const connection = (secret: string): Exporter => ({
  exportKeyingMaterial: (length, label) =>
    Buffer.concat(
      [0, 1].map((part) => createHmac("sha256", secret).update(`${label} ${part}`).digest()),
    ).subarray(0, length),
});
const ends = (secret = "one"): { client: DatagramBox; server: DatagramBox } => ({
  client: new DatagramBox(connection(secret), "client"),
  server: new DatagramBox(connection(secret), "server"),
});
const seal = (box: DatagramBox, text: string): Buffer => {
  const packet = box.seal(Buffer.from(text));
  if (packet === undefined) throw new Error("not sealed");
  return packet;
};
const text = (opened: Buffer | string): string =>
  typeof opened === "string" ? `refused: ${opened}` : opened.toString();

it("the recorded datagram of release 1 opens", () => {
  const packet = readFileSync(new URL("../../../test/fixtures/protocol-v1/datagram.bin", import.meta.url));
  const box = new DatagramBox(SAMPLE_EXPORTER, "server");
  expect(claimedSession(packet)).toBe(box.session);
  expect(decodeEnvelope(text(box.open(packet)))).toEqual({ ok: true, value: SAMPLES.beat });
});

describe("the two ends of a connection", () => {
  it("name the session alike and open what the other sealed", () => {
    const { client, server } = ends();
    expect(client.session).toBe(server.session);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      for (const word of ["one", "two", "three"]) expect(text(to.open(seal(from, word)))).toBe(word);
    }
  });
  it("never use one nonce and key twice: the same text differs in every datagram, either way", () => {
    const { client, server } = ends();
    const bodies = [client, client, server, server].map((box) =>
      seal(box, "same").toString("hex", DATAGRAM_HEADER_BYTES),
    );
    expect(new Set(bodies).size).toBe(4);
  });
  it("open late ones, and each once", () => {
    const { client, server } = ends();
    const packets = ["a", "b", "c"].map((word) => seal(client, word));
    for (const packet of packets.toReversed()) expect(text(server.open(packet))).toMatch(/^[abc]$/);
    for (const packet of packets) expect(server.open(packet)).toBe("replayed");
  });
});

describe("refused", () => {
  it("one's own datagram, sent back", () => {
    const { client } = ends();
    expect(client.open(seal(client, "hello"))).toBe("forged");
  });
  it("a datagram of another connection between the same two", () => {
    const packet = seal(ends("one").client, "hello");
    expect(ends("two").server.open(packet)).toBe("forged");
  });
  it("any flipped bit, without using the number up", () => {
    const { client, server } = ends();
    const packet = seal(client, "beat");
    for (let bit = 0; bit < packet.length * 8; bit += 1) {
      const forged = Buffer.from(packet);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (claimedSession(forged) === server.session) expect(typeof server.open(forged)).toBe("string");
    }
    expect(text(server.open(packet))).toBe("beat");
  });
  it("anything once the keys are gone", () => {
    const { client, server } = ends();
    const packet = seal(client, "beat");
    server.close();
    client.close();
    expect(server.open(packet)).toBe("closed");
    expect(client.seal(Buffer.from("beat"))).toBeUndefined();
  });
  it("any bytes at all, without throwing", () => {
    const { server } = ends();
    const id = Buffer.from(server.session, "hex");
    const near = fc
      .uint8Array({ maxLength: 80 })
      .map((rest) => Buffer.concat([Buffer.from([0xb1]), id, Buffer.from(rest)]));
    const far = fc.uint8Array({ maxLength: 1400 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(near, far), (packet) => {
        if (claimedSession(packet) === server.session) expect(typeof server.open(packet)).toBe("string");
      }),
    );
  });
});

it("what does not fit a small packet is not sealed", () => {
  const { client } = ends();
  expect(client.seal(Buffer.alloc(DATAGRAM_PLAINTEXT_BYTES_MAX + 1))).toBeUndefined();
  expect(client.seal(Buffer.alloc(DATAGRAM_PLAINTEXT_BYTES_MAX))).toHaveLength(DATAGRAM_BYTES_MAX);
});
