/**
 * A chunk as the file has it: its bytes, then CRC-32 (ISO 3309; little-endian) over where it belongs and
 * the bytes. SQLite does not notice damage inside a value; this does, and a value in the wrong row.
 */
import { crc32 } from "node:zlib";

const SEAL_BYTES = 4;

const sumOf = (place: string, bytes: Uint8Array): number => crc32(bytes, crc32(place));

export function sealed(place: string, bytes: Uint8Array): Uint8Array {
  const chunk = Buffer.alloc(bytes.length + SEAL_BYTES);
  chunk.set(bytes);
  chunk.writeUInt32LE(sumOf(place, bytes), bytes.length);
  return chunk;
}

/** Undefined when it is damaged. */
export function unsealed(place: string, chunk: unknown): Uint8Array | undefined {
  if (!(chunk instanceof Uint8Array) || chunk.length < SEAL_BYTES) return undefined;
  const bytes = chunk.subarray(0, chunk.length - SEAL_BYTES);
  const sum = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).readUInt32LE(bytes.length);
  return sum === sumOf(place, bytes) ? bytes : undefined;
}
