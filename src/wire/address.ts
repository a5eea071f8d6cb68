/** `IP:PORT`, IPv6 in brackets, taken apart. */
import type { Address } from "../core/types.ts";

export interface AddressParts {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  readonly family: 4 | 6;
}

/** Undefined when the text has another shape; whether the IP exists is for the socket to say. */
export function addressParts(address: Address): AddressParts | undefined {
  const found = /^(?:(\d{1,3}(?:\.\d{1,3}){3})|\[([0-9a-f:.]{2,45})\]):(\d{1,5})$/i.exec(address);
  if (found === null) return undefined;
  const [, v4, v6, portText] = found;
  const port = Number(portText);
  const host = v4 ?? v6;
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  return { host, port, family: v4 === undefined ? 6 : 4 };
}
