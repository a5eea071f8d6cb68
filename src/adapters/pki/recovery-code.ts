/**
 * The printed code of a recovery file: 140 random bits as seven groups of four symbols
 * and a check symbol, `7QK3M-…`. Symbols are Crockford's base 32: no I, L, O or U, so
 * what a hand writes and an eye confuses still reads as one thing.
 */
import { randomInt } from "node:crypto";
import { failure, ok, type Result } from "../../kit/result.ts";

const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUPS = 7;
const GROUP_SYMBOLS = 4;
/** x^5 + x^2 + 1, irreducible over GF(2): the field of 32 elements the check is computed in. */
const FIELD_POLYNOMIAL = 0b100101;

/** From the operating system's source. */
export function generateRecoveryCode(): string {
  const groups = Array.from({ length: GROUPS }, (_, group) => {
    const values = Array.from({ length: GROUP_SYMBOLS }, () => randomInt(SYMBOLS.length));
    return [...values, checkValue(values, group)].map((value) => SYMBOLS[value]).join("");
  });
  return groups.join("-");
}

/**
 * What was typed, in its printed form. Case, spaces and hyphens don't matter; a wrong
 * group is named by its place, since finding one in 35 symbols is otherwise hopeless.
 * Fails with `recovery-invalid`.
 */
export function parseRecoveryCode(typed: string): Result<string> {
  const symbols = typed.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  const expected = GROUPS * (GROUP_SYMBOLS + 1);
  if (symbols.length !== expected) {
    return invalid(`it has ${expected} letters and digits, ${symbols.length} were typed`);
  }
  const groups = symbols.match(/.{5}/gs) ?? [];
  for (const [index, group] of groups.entries()) {
    const values = [...group].map((symbol) => SYMBOLS.indexOf(symbol));
    const check = values.pop();
    if (values.includes(-1) || check !== checkValue(values, index))
      return invalid(`group ${index + 1} is mistyped`);
  }
  return ok(groups.join("-"));
}

/**
 * Weighs each symbol by another power of the field's generator, so that one wrong symbol
 * and two swapped ones always show; the group's own number is weighed in, so that swapped
 * groups show as well.
 */
function checkValue(values: readonly number[], group: number): number {
  return values.reduce((sum, value) => timesGenerator(sum ^ value), timesGenerator(group + 1));
}

function timesGenerator(value: number): number {
  const shifted = value << 1;
  return (shifted & 32) === 0 ? shifted : shifted ^ FIELD_POLYNOMIAL;
}

const invalid = (why: string): Result<never> =>
  failure(
    "recovery-invalid",
    `not a recovery code: ${why}`,
    "Type it as printed; 0 and O, 1 and I and L are the same.",
  );
