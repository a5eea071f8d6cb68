/** Which own address a connection leaves from. */
import { BlockList, isIP, isIPv4 } from "node:net";
import type { Address } from "../../core/types.ts";
import { type AddressParts, addressParts } from "../../wire/address.ts";

const IPV4_MAPPED = "::ffff:";

/** IPv4 addresses that arrive on an IPv6 socket look like `::ffff:10.0.0.1`. */
export const plainHost = (host: string | undefined): string =>
  host?.startsWith(IPV4_MAPPED) === true ? host.slice(IPV4_MAPPED.length) : (host ?? "");

export const addressOf = (host: string, port: number): Address =>
  isIPv4(host) ? `${host}:${port}` : `[${host}]:${port}`;

/** Undefined unless it is an IP and a port: a name would be looked up. */
export function ipAddressParts(address: Address): AddressParts | undefined {
  const parts = addressParts(address);
  return parts !== undefined && isIP(parts.host) === parts.family ? parts : undefined;
}

/**
 * The own address that shares the longest prefix with the target: with several networks, the one in the
 * target's. It decides the way back of datagrams, and lets many nodes share one host. Undefined when
 * none has the target's family; the kernel chooses then.
 */
export function ownAddressFor(own: readonly Address[], target: AddressParts): AddressParts | undefined {
  let best: { readonly parts: AddressParts; readonly shared: number } | undefined;
  for (const address of own) {
    const parts = ipAddressParts(address);
    if (parts === undefined || parts.family !== target.family) continue;
    const shared = sharedBits(parts, target);
    if (best === undefined || shared > best.shared) best = { parts, shared };
  }
  return best?.parts;
}

/** The longest subnet of the one that holds the other, found by halving. */
function sharedBits(own: AddressParts, target: AddressParts): number {
  const family = own.family === 4 ? "ipv4" : "ipv6";
  let atLeast = 0;
  let atMost = own.family === 4 ? 32 : 128;
  while (atLeast < atMost) {
    const bits = Math.ceil((atLeast + atMost) / 2);
    const subnet = new BlockList();
    subnet.addSubnet(own.host, bits, family);
    if (subnet.check(target.host, family)) atLeast = bits;
    else atMost = bits - 1;
  }
  return atLeast;
}
