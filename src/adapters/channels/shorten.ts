/** Shortens a message to what a service takes, counted as that service counts. */

/** `units`: UTF-16, as JavaScript and most services' "characters"; `bytes`: of UTF-8. */
export type Measure = "bytes" | "codePoints" | "units";

export const lengthIn: Readonly<Record<Measure, (text: string) => number>> = {
  bytes: (text) => Buffer.byteLength(text),
  codePoints: (text) => {
    let count = 0;
    for (const _ of text) count += 1;
    return count;
  },
  units: (text) => text.length,
};

const ELLIPSIS: string = "…";

/** The beginning of a text, with `…` where something is missing; never half a character. */
export function shorten(text: string, most: number, measure: Measure = "units"): string {
  const length = lengthIn[measure];
  if (length(text) <= most) return text;
  const room = most - length(ELLIPSIS);
  if (room < 0) return "";
  let used = 0;
  let kept = "";
  for (const character of text) {
    used += length(character);
    if (used > room) break;
    kept += character;
  }
  return `${kept}${ELLIPSIS}`;
}
