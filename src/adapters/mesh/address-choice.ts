/** Which own address a connection leaves from. */
import { isIPv4 } from "node:net";
import type { Address } from "../../core/types.ts";
import { type AddressParts, addressParts } from "../../wire/address.ts";

const IPV4_MAPPED = "::ffff:";

/** IPv4 addresses that arrive on an IPv6 socket look like `::ffff:10.0.0.1`. */
export const plainHost = (host: string | undefined): string =>
  host?.startsWith(IPV4_MAPPED) === true ? host.slice(IPV4_MAPPED.length) : (host ?? "");

export const addressOf = (host: string, port: number): Address =>
  isIPv4(host) ? `${host}:${port}` : `[${host}]:${port}`;

/**
 * The own address with the longest text in common with the target among those of its family: with several
 * networks, the one in the target's. Peers are told apart by their certificates; this is for the way back
 * of datagrams, and so that many nodes can share one host. Undefined when none has the target's family.
 */
export function ownAddressFor(own: readonly Address[], target: AddressParts): AddressParts | undefined {
  let best: { readonly parts: AddressParts; readonly shared: number } | undefined;
  for (const address of own) {
    const parts = addressParts(address);
    if (parts === undefined || parts.family !== target.family) continue;
    const shared = sharedGroups(parts, target);
    if (best === undefined || shared > best.shared) best = { parts, shared };
  }
  return best?.parts;
}

function sharedGroups(a: AddressParts, b: AddressParts): number {
  const separator = a.family === 4 ? "." : ":";
  const left = a.host.split(separator);
  const right = b.host.split(separator);
  let shared = 0;
  while (shared < left.length && left[shared] === right[shared]) shared += 1;
  return shared;
}
