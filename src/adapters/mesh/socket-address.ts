/** Addresses as sockets give and take them. */
import { isIP, isIPv4 } from "node:net";
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
