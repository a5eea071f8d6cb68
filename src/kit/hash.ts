import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** SHA-256 (FIPS 180-4) of UTF-8 text as 64 hex digits; synchronous, so that core can use it. */
export const sha256Hex = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));

/** SHA-256 over parts that cannot run into one another: each is preceded by its length. */
export const hashParts = (...parts: readonly string[]): string => sha256Hex(joined(parts));

const joined = (parts: readonly string[]): string => parts.map((part) => `${part.length}:${part}`).join("");

const KEPT_MAX = 4096;
const kept = new Map<string, Map<string, string>>();
let keptCount = 0;

/** `hashParts(label, first, second)`, for what is asked over and over: a hash costs ten times as much as finding it again. */
export function hashPairAgain(label: string, first: string, second: string): string {
  const scope = `${label} ${first}`;
  let found = kept.get(scope);
  const known = found?.get(second);
  if (known !== undefined) return known;
  if (keptCount >= KEPT_MAX) {
    kept.clear();
    keptCount = 0;
    found = undefined;
  }
  const hash = hashParts(label, first, second);
  if (found === undefined) kept.set(scope, new Map([[second, hash]]));
  else found.set(second, hash);
  keptCount += 1;
  return hash;
}
