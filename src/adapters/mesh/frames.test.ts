import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SAMPLE_HELLO, SAMPLES } from "../../../test/contract/protocol-samples.ts";
import { decodeEnvelope } from "../../wire/envelope.ts";
import { CONTROL_FRAME_BYTES_MAX, decodeBye, decodeHello } from "../../wire/peer-hello.ts";
import {
  encodeFrame,
  FRAME_BYE,
  FRAME_BYTES_MAX,
  FRAME_ENVELOPE,
  FRAME_HELLO,
  type Frame,
  FrameReader,
} from "./frames.ts";

function readAll(reader: FrameReader): Frame[] {
  const frames: Frame[] = [];
  for (;;) {
    const next = reader.next();
    if (!next.ok) throw new Error(next.error.message);
    if (next.value === undefined) return frames;
    frames.push(next.value);
  }
}

const admitted = (): FrameReader => {
  const reader = new FrameReader();
  reader.admit();
  return reader;
};

const lengthOf = (bytes: number): Buffer => {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(bytes);
  return header;
};

it("the recorded stream of release 1 is read as it was meant", () => {
  const reader = admitted();
  reader.add(readFileSync(new URL("../../../test/fixtures/protocol-v1/stream.bin", import.meta.url)));
  const frames = readAll(reader);
  const [hello, ...rest] = frames;
  const bye = rest.pop();
  expect([hello?.kind, bye?.kind]).toEqual([FRAME_HELLO, FRAME_BYE]);
  expect(decodeHello(hello?.text ?? "")).toEqual({ ok: true, value: SAMPLE_HELLO });
  expect(decodeBye(bye?.text ?? "")).toBe("stop");
  expect(rest.map(({ text }) => decodeEnvelope(text))).toEqual(
    Object.values(SAMPLES).map((value) => ({ ok: true, value })),
  );
});

it("frames come out whole, however the bytes were cut", () => {
  const frame = fc.record({
    kind: fc.integer({ min: 0, max: 255 }),
    text: fc.string({ unit: "binary", maxLength: 300 }),
  });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 200 })),
      (frames, cuts) => {
        const bytes = Buffer.concat(
          frames.map(({ kind, text }) => encodeFrame(kind, text) ?? Buffer.alloc(0)),
        );
        const reader = admitted();
        const read: Frame[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          reader.add(bytes.subarray(at, at + cut));
          at += cut;
          read.push(...readAll(reader));
        }
        expect(read).toEqual(frames);
      },
    ),
  );
});

describe("a length that cannot be", () => {
  it("is refused before the frame comes", () => {
    for (const length of [0, FRAME_BYTES_MAX + 1, 0xffffffff]) {
      const reader = admitted();
      reader.add(lengthOf(length));
      expect(reader.next()).toMatchObject({ ok: false, error: { code: "protocol-violation" } });
    }
  });
  it("is, for one who has not greeted, anything longer than a hello", () => {
    const stranger = new FrameReader();
    stranger.add(lengthOf(CONTROL_FRAME_BYTES_MAX + 1));
    expect(stranger.next()).toMatchObject({ ok: false, error: { code: "protocol-violation" } });
    const peer = admitted();
    peer.add(lengthOf(CONTROL_FRAME_BYTES_MAX + 1));
    expect(peer.next()).toEqual({ ok: true, value: undefined });
  });
  it("is never written", () => {
    expect(encodeFrame(FRAME_ENVELOPE, "x".repeat(FRAME_BYTES_MAX))).toBeUndefined();
    expect(encodeFrame(FRAME_ENVELOPE, "x".repeat(FRAME_BYTES_MAX - 1))).toHaveLength(4 + FRAME_BYTES_MAX);
  });
});

it("a frame in small pieces costs in proportion to its length, the longest one too", () => {
  /** CPU time in microseconds. */
  const costOf = (bytes: number): number => {
    const frame = encodeFrame(FRAME_ENVELOPE, "x".repeat(bytes - 1)) ?? Buffer.alloc(0);
    const reader = admitted();
    const before = process.cpuUsage();
    let early = 0;
    for (let at = 0; at < frame.length; at += 64) {
      reader.add(frame.subarray(at, at + 64));
      if (at + 64 < frame.length) early += readAll(reader).length;
    }
    const { user, system } = process.cpuUsage(before);
    expect(early).toBe(0);
    expect(readAll(reader)).toHaveLength(1);
    return user + system;
  };
  costOf(FRAME_BYTES_MAX);
  const asEight = Array.from({ length: 8 }, () => costOf(FRAME_BYTES_MAX / 8)).reduce((a, b) => a + b);
  // Were each piece joined to all before it, it would be eight times as much.
  expect(costOf(FRAME_BYTES_MAX) / asEight).toBeLessThan(4);
});
