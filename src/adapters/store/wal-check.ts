/**
 * Finds acknowledged commits that SQLite is about to drop from its write-ahead log.
 *
 * Every frame of the log carries a checksum over all before it, and recovery ends at the first that
 * does not match: right for a commit that was torn when the power failed, but a flipped bit in the
 * middle takes every later commit along, without a word. Since each commit is on the disk before the
 * next begins, at most one can be torn: two or more behind the break have been acknowledged.
 * The very last commit cannot be told from a torn one; its loss stays unnoticed.
 *
 * Format: https://www.sqlite.org/fileformat2.html#walformat
 */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;

interface Sum {
  readonly a: number;
  readonly b: number;
}

/** Commits behind a break in the log that must have been acknowledged; 0 when all is well. */
export function acknowledgedCommitsLost(log: Buffer, pageBytes: number): number {
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const frames = Math.floor((log.length - HEADER_BYTES) / frameBytes);
  if (frames < 1) return 0;
  const header = log.subarray(0, HEADER_BYTES);
  const sound = headerIsSound(header);
  // Of a damaged header the salts are not to be believed; the frames repeat them.
  const salts = sound ? header.subarray(16, 24) : log.subarray(HEADER_BYTES + 8, HEADER_BYTES + 16);
  const from = sound ? framesInChain(log, frames, frameBytes) : 0;

  let commits = 0;
  for (let index = from; index < frames; index += 1) {
    const frame = frameAt(log, index, frameBytes);
    // Other salts: left over from before the log was last begun anew.
    if (frame.subarray(8, 16).equals(salts) && isCommit(frame)) commits += 1;
  }
  return commits < 2 ? 0 : commits;
}

const frameAt = (log: Buffer, index: number, frameBytes: number): Buffer =>
  log.subarray(HEADER_BYTES + index * frameBytes, HEADER_BYTES + (index + 1) * frameBytes);

/** The last frame of a commit holds the size of the database. */
const isCommit = (frame: Buffer): boolean => frame.readUInt32BE(4) !== 0;

function headerIsSound(header: Buffer): boolean {
  const magic = header.readUInt32BE(0);
  if (magic !== MAGIC && magic !== MAGIC + 1) return false;
  const sum = add({ a: 0, b: 0 }, header.subarray(0, 24), magic === MAGIC + 1);
  return sum.a === header.readUInt32BE(24) && sum.b === header.readUInt32BE(28);
}

/** How many frames recovery accepts. */
function framesInChain(log: Buffer, frames: number, frameBytes: number): number {
  const bigEndian = log.readUInt32BE(0) === MAGIC + 1;
  let sum: Sum = { a: log.readUInt32BE(24), b: log.readUInt32BE(28) };
  for (let index = 0; index < frames; index += 1) {
    const frame = frameAt(log, index, frameBytes);
    if (!frame.subarray(8, 16).equals(log.subarray(16, 24))) return index;
    sum = add(add(sum, frame.subarray(0, 8), bigEndian), frame.subarray(FRAME_HEADER_BYTES), bigEndian);
    if (sum.a !== frame.readUInt32BE(16) || sum.b !== frame.readUInt32BE(20)) return index;
  }
  return frames;
}

/** Over pairs of 32-bit words, in the byte order that the magic number names. */
function add(start: Sum, bytes: Buffer, bigEndian: boolean): Sum {
  let { a, b } = start;
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    a = (a + b + (bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at))) >>> 0;
    b = (b + a + (bigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4))) >>> 0;
  }
  return { a, b };
}
