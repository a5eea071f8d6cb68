/** Numbers as C reads and prints them, for output that has to be the same as a C program's. */

const DECIMAL = /^[ \t\n\v\f\r]*([+-]?)(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)/i;
const HEXADECIMAL = /^[ \t\n\v\f\r]*([+-]?)0x([\da-f]+)/i;
const WORD = /^[ \t\n\v\f\r]*([+-]?)(nan|inf)/i;

/** The number a text begins with, as `scanf("%lf")` has it (ISO C 7.21.6.2; hexadecimal without fractions); undefined when there is none. */
export function cNumber(text: string): number | undefined {
  const hexadecimal = HEXADECIMAL.exec(text);
  if (hexadecimal !== null) return signed(hexadecimal[1], Number(`0x${hexadecimal[2]}`));
  const decimal = DECIMAL.exec(text);
  if (decimal !== null) return signed(decimal[1], Number(decimal[2]));
  const word = WORD.exec(text);
  if (word === null) return undefined;
  return signed(word[1], word[2]?.toLowerCase() === "nan" ? Number.NaN : Number.POSITIVE_INFINITY);
}

const signed = (sign: string | undefined, value: number): number => (sign === "-" ? -value : value);

/** As `printf("%.3f")`: ties go to the even digit, where `toFixed` goes up; zero keeps its sign. */
export function formatThousandths(value: number): string {
  if (Number.isNaN(value)) return "nan";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const size = Math.abs(value);
  if (size === Number.POSITIVE_INFINITY) return `${sign}inf`;
  // From 2^53 on there are no fractions, and toFixed would turn to exponents at 1e21.
  if (size >= Number.MAX_SAFE_INTEGER) return `${sign}${BigInt(size)}.000`;
  return sign + (isTie(size) ? towardsEven(size) : size.toFixed(3));
}

/** Exactly half way between two thousandths: odd multiples of 1/16, for 2000 = 16 × 125 and doubles are binary. */
const isTie = (size: number): boolean => Number.isInteger(size * 16) && (size * 16) % 2 === 1;

/** Four digits are exact there; the last is a 5. */
function towardsEven(size: number): string {
  const three = size.toFixed(4).slice(0, -1);
  return Number(three.at(-1)) % 2 === 0 ? three : size.toFixed(3);
}
