/** Where the daemon's HTTP port may listen. */

import { type Complaint, checked, type ValueKind } from "./config-values.ts";

/** `IP:PORT`, IPv6 in brackets; port 0 lets the kernel choose. `off`: no port. */
export type HttpListen = string;

export const HTTP_LISTEN_DEFAULT: HttpListen = "127.0.0.1:7655";

export interface ListenParts {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;
const EXAMPLE = "such as 127.0.0.1:7655 or [::1]:7655, or off";

/** Undefined unless it is an IP of this host's own loopback and a port. */
export function loopbackParts(listen: HttpListen): ListenParts | undefined {
  const parts = listenParts(listen);
  return parts !== undefined && isLoopback(parts.host) ? parts : undefined;
}

function listenParts(listen: string): ListenParts | undefined {
  const [, v4, v6, port] =
    /^(?:(\d{1,3}(?:\.\d{1,3}){3})|\[([0-9a-f:.]{2,45})\]):(\d{1,5})$/i.exec(listen) ?? [];
  const host = v4 ?? v6;
  if (host === undefined || Number(port) > PORT_MAX) return undefined;
  return { host, port: Number(port) };
}

/** 127.0.0.0/8 (RFC 1122, section 3.2.1.3) or ::1 (RFC 4291, section 2.5.3). */
const isLoopback = (host: string): boolean =>
  host === "::1" || (/^127\./.test(host) && host.split(".").every((part) => Number(part) <= 255));

function checkListen(value: unknown): HttpListen | Complaint {
  if (value === "off") return value;
  const parts = typeof value === "string" ? listenParts(value) : undefined;
  if (parts === undefined) {
    return {
      message: "this is not an IP address with a port",
      fix: `Write an address and a port, ${EXAMPLE}.`,
    };
  }
  if (typeof value === "string" && isLoopback(parts.host)) return value;
  return {
    message: `${String(value)} is not loopback, and nobody has to log in yet`,
    fix: `Loopback only until an account exists: write an address ${EXAMPLE}.`,
  };
}

export const httpListen: ValueKind<HttpListen> = {
  schema: checked<HttpListen>(checkListen),
  fromText: checkListen,
  written: (value) => value,
};
