/** Which of a host's own addresses a connection or a probe leaves from. */
import type { Address } from "../core/types.ts";
import { type AddressParts, addressParts } from "./address.ts";

/**
 * The own address that shares the longest prefix with the target: with several networks, the one in
 * the target's. Beats, their way back, and probes then take the same path, also where a default
 * route would offer another. Undefined (the kernel chooses) when none has the target's family.
 */
export function nearestOwn(own: readonly Address[], target: AddressParts): AddressParts | undefined {
  const wanted = bits(target);
  let best: { readonly parts: AddressParts; readonly shared: number } | undefined;
  for (const address of own) {
    const parts = addressParts(address);
    if (parts === undefined || parts.family !== target.family) continue;
    const shared = sharedPrefix(bits(parts), wanted);
    if (best === undefined || shared > best.shared) best = { parts, shared };
  }
  return best?.parts;
}

function sharedPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

const binary = (value: number, digits: number): string => value.toString(2).padStart(digits, "0");

const bitsOfV4 = (host: string): string =>
  host
    .split(".")
    .map((part) => binary(Number(part), 8))
    .join("");

/** Of IPv6, the eight groups with `::` filled in; an IPv4 tail (`::ffff:10.0.0.1`) counts for two. */
function bitsOfV6(host: string): string {
  const groups = (text: string): string[] => {
    if (text === "") return [];
    return text
      .split(":")
      .map((group) => (group.includes(".") ? bitsOfV4(group) : binary(Number.parseInt(group, 16), 16)));
  };
  const [head = "", tail] = host.split("::");
  const before = groups(head).join("");
  const behind = tail === undefined ? "" : groups(tail).join("");
  return before + "0".repeat(Math.max(0, 128 - before.length - behind.length)) + behind;
}

const bits = ({ host, family }: AddressParts): string => (family === 4 ? bitsOfV4(host) : bitsOfV6(host));
