/**
 * A row of the file's tail: the samples of one open hour that came since the last flush, all sensors in
 * one piece, so that a flush writes one page. For each sensor: unsigned number, chunk of samples.
 */
import { Reader, Writer } from "./bytes.ts";
import type { SensorRow, TailRow } from "./history-file.ts";
import { HOUR_MS } from "./hour.ts";
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

interface TailPart {
  /** Hours since 1970. */
  readonly hour: number;
  readonly recorded: number;
  /** Undefined when the row is damaged. */
  readonly pieces: readonly TailPiece[] | undefined;
}

export const piecesOf = ({ hour, recorded, bytes }: TailRow): TailPart => ({
  hour,
  recorded,
  pieces: bytes === undefined ? undefined : decodeTail(bytes),
});

/** The times of a sensor's row are those of the last hour that was closed; the tail has what came since, in order. */
export function upToTail(rows: readonly SensorRow[], tail: readonly TailPart[]): SensorRow[] {
  const seen = new Map<number, { readonly first: number; readonly last: number }>();
  for (const { hour, pieces = [] } of tail) {
    for (const { sensor, samples } of pieces) {
      const times = samples.times.map((time) => hour * HOUR_MS + time);
      const { first = Number.POSITIVE_INFINITY } = seen.get(sensor) ?? {};
      const last = times.at(-1);
      if (last !== undefined) seen.set(sensor, { first: Math.min(first, times[0] ?? last), last });
    }
  }
  return rows.map((row) => {
    const { first, last } = seen.get(row.number) ?? row;
    return { ...row, first: Math.min(row.first, first), last };
  });
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
