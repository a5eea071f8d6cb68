/** The stream's frames: four bytes of length (big-endian, of what follows), one byte of kind, the body in UTF-8 JSON. */
import { failure, ok, type Result } from "../../kit/result.ts";
import { ENVELOPE_BYTES_MAX } from "../../wire/envelope.ts";
import { CONTROL_FRAME_BYTES_MAX } from "../../wire/peer-hello.ts";

export const FRAME_HELLO = 1;
export const FRAME_BYE = 2;
export const FRAME_ENVELOPE = 3;
const LENGTH_BYTES = 4;
const KIND_BYTES = 1;
/** The longest frame, without its length field. */
export const FRAME_BYTES_MAX: number = ENVELOPE_BYTES_MAX;

export interface Frame {
  readonly kind: number;
  readonly text: string;
}

/** Undefined when the frame would be longer than any receiver accepts. */
export function encodeFrame(kind: number, text: string): Buffer | undefined {
  const bodyBytes = Buffer.byteLength(text);
  if (KIND_BYTES + bodyBytes > FRAME_BYTES_MAX) return undefined;
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + KIND_BYTES + bodyBytes);
  frame.writeUInt32BE(KIND_BYTES + bodyBytes, 0);
  frame[LENGTH_BYTES] = kind;
  frame.write(text, LENGTH_BYTES + KIND_BYTES);
  return frame;
}

/** Collects bytes until a frame is whole. Until `admit` is called only control frames fit, so that strangers cost little. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #bytesMax = CONTROL_FRAME_BYTES_MAX;

  admit(): void {
    this.#bytesMax = FRAME_BYTES_MAX;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next whole frame, undefined when more bytes are needed, or why the stream cannot go on. */
  next(): Result<Frame | undefined> {
    if (this.#bytes < LENGTH_BYTES) return ok(undefined);
    const length = this.#gather(LENGTH_BYTES).readUInt32BE(0);
    if (length < KIND_BYTES || length > this.#bytesMax) {
      return failure("protocol-violation", `a frame of ${length} bytes; ${KIND_BYTES} to ${this.#bytesMax} are allowed`);
    }
    if (this.#bytes < LENGTH_BYTES + length) return ok(undefined);
    const whole = this.#gather(LENGTH_BYTES + length);
    this.#drop(LENGTH_BYTES + length);
    return ok({
      kind: whole[LENGTH_BYTES] ?? 0,
      text: whole.toString("utf8", LENGTH_BYTES + KIND_BYTES, LENGTH_BYTES + length),
    });
  }

  /** The first chunk, made at least that long; a frame's chunks are joined once, when it is whole. */
  #gather(bytes: number): Buffer {
    const first = this.#chunks[0] ?? Buffer.alloc(0);
    if (first.length >= bytes) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #drop(bytes: number): void {
    const first = this.#chunks[0] ?? Buffer.alloc(0);
    this.#bytes -= bytes;
    if (first.length === bytes) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(bytes);
  }
}
