/** Bytes and bits of the history's chunks: variable-length whole numbers (LEB128) and Rice codes. */

/** Whole numbers up to this size, of either sign, can be written: differences of two stay exact. */
export const CELL_MAX: number = 2 ** 50;
/** A Rice code's unary part at most; what needs more is written out in `WIDE_BITS`. */
const UNARY_MAX = 20;
const WIDE_BITS = 53;
/** Up to here JavaScript's whole-number operators do, which are faster. */
const NARROW_BITS = 31;
const VARINT_BYTES_MAX = 8;

/** Whole numbers of either sign as such without: 0, −1, 1, −2, … become 0, 1, 2, 3, … */
export const fold = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
export const unfold = (folded: number): number => (folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2);

/** Bits that a Rice code of this parameter takes. */
export function riceBits(value: number, parameter: number): number {
  const quotient = Math.floor(value / 2 ** parameter);
  return quotient < UNARY_MAX ? quotient + 1 + parameter : UNARY_MAX + WIDE_BITS;
}

export class Writer {
  private bytes: Uint8Array = new Uint8Array(256);
  private length = 0;
  /** Bits of the last byte that are taken; 0 when it is full. */
  private used = 0;

  byte(value: number): void {
    if (this.length === this.bytes.length) {
      const larger = new Uint8Array(this.length * 2);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[this.length] = value;
    this.length += 1;
    this.used = 0;
  }

  raw(bytes: Uint8Array): void {
    for (const value of bytes) this.byte(value);
  }

  unsigned(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  signed(value: number): void {
    this.unsigned(fold(value));
  }

  rice(value: number, parameter: number): void {
    const quotient = Math.floor(value / 2 ** parameter);
    if (quotient >= UNARY_MAX) {
      this.bits(2 ** UNARY_MAX - 1, UNARY_MAX);
      this.bits(value, WIDE_BITS);
      return;
    }
    this.bits(2 ** (quotient + 1) - 2, quotient + 1);
    if (parameter === 0) return;
    this.bits(value % 2 ** parameter, parameter);
  }

  /** The highest bit first. */
  private bits(value: number, count: number): void {
    const narrow = count <= NARROW_BITS;
    let left = count;
    while (left > 0) {
      if (this.used === 0) {
        this.byte(0);
        this.used = 0;
      }
      const take = Math.min(8 - this.used, left);
      left -= take;
      const part = narrow ? (value >>> left) & ((1 << take) - 1) : Math.floor(value / 2 ** left) % 2 ** take;
      const last = this.length - 1;
      this.bytes[last] = (this.bytes[last] ?? 0) | (part << (8 - this.used - take));
      this.used = (this.used + take) % 8;
    }
  }

  /** What follows begins with a whole byte. */
  align(): void {
    this.used = 0;
  }

  done(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Never throws: beyond the end, or where a number has no end, it reads zeros and `malformed` is set. */
export class Reader {
  malformed = false;
  private readonly bytes: Uint8Array;
  private at = 0;
  private used = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) {
      this.malformed = true;
      return 0;
    }
    this.at += 1;
    return value;
  }

  raw(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) {
      this.malformed = true;
      return new Uint8Array(0);
    }
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  unsigned(): number {
    let value = 0;
    for (let place = 0; place < VARINT_BYTES_MAX; place += 1) {
      const byte = this.byte();
      value += (byte % 128) * 128 ** place;
      if (byte < 128) return value;
    }
    this.malformed = true;
    return 0;
  }

  signed(): number {
    return unfold(this.unsigned());
  }

  rice(parameter: number): number {
    const quotient = this.ones();
    if (quotient === UNARY_MAX) return this.bits(WIDE_BITS);
    return parameter === 0 ? quotient : quotient * 2 ** parameter + this.bits(parameter);
  }

  /** How many ones come before the zero, which is read too; at most `UNARY_MAX`. */
  private ones(): number {
    for (let count = 0; count < UNARY_MAX; count += 1) {
      const current = this.bytes[this.at];
      if (current === undefined) {
        this.malformed = true;
        return 0;
      }
      const bit = (current >> (7 - this.used)) & 1;
      this.used = (this.used + 1) % 8;
      if (this.used === 0) this.at += 1;
      if (bit === 0) return count;
    }
    return UNARY_MAX;
  }

  private bits(count: number): number {
    let value = 0;
    let left = count;
    while (left > 0) {
      const current = this.bytes[this.at];
      if (current === undefined) {
        this.malformed = true;
        return 0;
      }
      const take = Math.min(8 - this.used, left);
      value = value * 2 ** take + ((current >> (8 - this.used - take)) & (2 ** take - 1));
      left -= take;
      this.used += take;
      if (this.used === 8) {
        this.used = 0;
        this.at += 1;
      }
    }
    return value;
  }

  align(): void {
    if (this.used > 0) this.at += 1;
    this.used = 0;
  }
}
