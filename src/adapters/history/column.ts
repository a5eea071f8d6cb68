/**
 * A column: whole numbers in order, coded by how each differs from the one before.
 *
 *   first     signed    the first number
 *   step      signed    what two neighbours differ by in general: the median
 *   scale     unsigned  greatest common divisor of all (difference − step); 0 when all are 0, and that is the end
 *   parameter byte      of the Rice code
 *   bits                each (difference − step) / scale, folded, as a Rice code; padded to a whole byte
 *
 * Nothing is written for no numbers, `first` alone for one. The scale makes a sensor that knows whole
 * degrees as cheap as it is; the step makes a steady clock cost next to nothing; what never changes
 * costs four bytes. Rice codes: Rice and Plaunt, "Adaptive Variable-Length Coding", 1971.
 */
import { fold, type Reader, riceBits, unfold, type Writer } from "./bytes.ts";

const PARAMETER_MAX = 53;

/** Each number is whole and at most `CELL_MAX` in size. */
export function writeColumn(out: Writer, cells: readonly number[]): void {
  const [first] = cells;
  if (first === undefined) return;
  out.signed(first);
  if (cells.length === 1) return;
  const differences = cells.slice(1).map((cell, index) => cell - (cells[index] ?? 0));
  const step = median(differences);
  const scale = differences.reduce((divisor, difference) => commonDivisor(divisor, difference - step), 0);
  out.signed(step);
  out.unsigned(scale);
  if (scale === 0) return;
  const folded = differences.map((difference) => fold((difference - step) / scale));
  const parameter = cheapest(folded);
  out.byte(parameter);
  for (const value of folded) out.rice(value, parameter);
  out.align();
}

/** Where the bytes are not a column, the reader is `malformed` and the numbers mean nothing. */
export function readColumn(from: Reader, count: number): number[] {
  if (count === 0) return [];
  let cell = from.signed();
  const cells = [cell];
  if (count === 1) return cells;
  const step = from.signed();
  const scale = from.unsigned();
  const parameter = scale === 0 ? 0 : from.byte();
  if (parameter > PARAMETER_MAX) from.malformed = true;
  while (cells.length < count && !from.malformed) {
    cell += step + (scale === 0 ? 0 : unfold(from.rice(parameter)) * scale);
    cells.push(cell);
  }
  if (scale !== 0) from.align();
  return cells;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function commonDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, Math.abs(b)];
  while (smaller !== 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

/** The parameter near the mean's size whose codes are the shortest altogether. */
function cheapest(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const near = Math.max(0, Math.floor(Math.log2(mean + 1)));
  let best = { parameter: 0, bits: Number.POSITIVE_INFINITY };
  for (let parameter = Math.max(0, near - 3); parameter <= near + 1; parameter += 1) {
    const bits = values.reduce((sum, value) => sum + riceBits(value, parameter), 0);
    if (bits < best.bits) best = { parameter, bits };
  }
  return best.parameter;
}
