/** Which format a reader of metrics wants, by its Accept header (RFC 9110, section 12.5.1). */
import type { ExpositionFormat } from "./exposition.ts";

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

const OFFERS = {
  text: { type: "text", subtype: "plain", version: "0.0.4" },
  openmetrics: { type: "application", subtype: "openmetrics-text", version: "1.0.0" },
} as const;

interface Range {
  readonly type: string;
  readonly subtype: string;
  readonly version: string | undefined;
  readonly q: number;
}

interface Rating {
  readonly q: number;
  /** How closely the range that counts names the format. */
  readonly closeness: number;
}

/** Plain text for whoever asks for neither: a person with a browser, or a header that makes no sense. */
export function formatFor(accept: string | undefined): ExpositionFormat {
  const ranges = (accept ?? "*/*").split(",").flatMap(rangeOf);
  const text = rating(ranges, "text");
  const open = rating(ranges, "openmetrics");
  const wantsOpen = open.q > text.q || (open.q === text.q && open.closeness > text.closeness);
  return wantsOpen ? "openmetrics" : "text";
}

/** A range that cannot be read says nothing. */
function rangeOf(text: string): Range[] {
  const [media = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const [, type, subtype] = /^([^/\s]+)\/([^/\s]+)$/.exec(media) ?? [];
  if (type === undefined || subtype === undefined) return [];
  const given = (name: string): string | undefined =>
    parameters
      .find((parameter) => parameter.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .replace(/^"(.*)"$/, "$1");
  const q = given("q") ?? "1";
  if (!/^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q)) return [];
  return [{ type, subtype, version: given("version"), q: Number(q) }];
}

/** Of the ranges that fit, the closest counts, whatever its q. */
function rating(ranges: readonly Range[], format: ExpositionFormat): Rating {
  let best: Rating = { q: 0, closeness: 0 };
  for (const range of ranges) {
    const closeness = closenessOf(range, OFFERS[format]);
    if (closeness > best.closeness) best = { q: range.q, closeness };
  }
  return best;
}

/** 0: it does not fit. */
function closenessOf(range: Range, offer: (typeof OFFERS)[ExpositionFormat]): number {
  if (range.type === "*" && range.subtype === "*") return 1;
  if (range.type !== offer.type) return 0;
  if (range.subtype === "*") return 2;
  if (range.subtype !== offer.subtype) return 0;
  if (range.version === undefined) return 3;
  return range.version === offer.version ? 4 : 0;
}
