/**
 * A row of the file's tail: the samples of one open hour that came since the last flush, all sensors in
 * one piece, so that a flush writes one page. For each sensor: unsigned number, chunk of samples.
 */
import { Reader, Writer } from "./bytes.ts";
import { readSamples, type Samples, writeSamples } from "./samples.ts";

export interface TailPiece {
  readonly sensor: number;
  readonly samples: Samples;
}

export function encodeTail(pieces: readonly TailPiece[]): Uint8Array {
  const out = new Writer();
  for (const { sensor, samples } of pieces) {
    out.unsigned(sensor);
    writeSamples(out, samples);
  }
  return out.done();
}

/** Undefined when the bytes are no such row. */
export function decodeTail(bytes: Uint8Array): TailPiece[] | undefined {
  const from = new Reader(bytes);
  const pieces: TailPiece[] = [];
  while (!from.atEnd) {
    const sensor = from.unsigned();
    const samples = readSamples(from);
    if (samples === undefined || from.malformed) return undefined;
    pieces.push({ sensor, samples });
  }
  return pieces;
}
