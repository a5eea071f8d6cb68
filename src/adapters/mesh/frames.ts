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

/** Collects bytes until a frame is whole. Until `admit` only control frames fit, so that strangers cost little. */
export class FrameReader {
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #bytesMax = CONTROL_FRAME_BYTES_MAX;

  admit(): void {
    this.#bytesMax = FRAME_BYTES_MAX;
  }

  /** Usually a chunk is a whole frame and is not copied; else the room doubles, so that many small chunks stay cheap. */
  add(chunk: Buffer): void {
    const kept = this.#end - this.#start;
    if (kept === 0) {
      this.#buffer = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    if (this.#end + chunk.length > this.#buffer.length) {
      const roomier = Buffer.allocUnsafeSlow(2 * (kept + chunk.length));
      this.#buffer.copy(roomier, 0, this.#start, this.#end);
      this.#buffer = roomier;
      this.#start = 0;
      this.#end = kept;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole frame, undefined when more bytes are needed, or why the stream cannot go on. */
  next(): Result<Frame | undefined> {
    const bytes = this.#end - this.#start;
    if (bytes < LENGTH_BYTES) return ok(undefined);
    const length = this.#buffer.readUInt32BE(this.#start);
    if (length < KIND_BYTES || length > this.#bytesMax) {
      return failure("protocol-violation", `a frame of ${length} bytes; 1 to ${this.#bytesMax} are allowed`);
    }
    if (bytes < LENGTH_BYTES + length) return ok(undefined);
    const body = this.#start + LENGTH_BYTES + KIND_BYTES;
    const end = this.#start + LENGTH_BYTES + length;
    const kind = this.#buffer[body - 1] ?? 0;
    const text = this.#buffer.toString("utf8", body, end);
    this.#start = end;
    if (this.#start === this.#end) this.#release();
    return ok({ kind, text });
  }

  /** Nothing is held between frames. */
  #release(): void {
    this.#buffer = Buffer.alloc(0);
    this.#start = 0;
    this.#end = 0;
  }
}
