/** What this host can tell of its own network: carrier of the interfaces with mesh addresses or a default route, and their gateways. */
import { networkInterfaces } from "node:os";
import type { Uplink } from "../../core/types.ts";
import type { Uplinks } from "../../ports/uplinks.ts";
import { type AddressParts, addressParts } from "../../wire/address.ts";
import {
  defaultRouteHolders,
  gatewayOf,
  hasCarrier,
  holderByInet6,
  holderByRoute,
  neighbourState,
  type Roots,
} from "./interfaces.ts";

export interface UplinksOptions {
  /** Default: `/sys`. */
  readonly sysRoot?: string;
  /** Default: `/proc`. */
  readonly procRoot?: string;
  /** Addresses of the interfaces that run. Default: what the system says. */
  readonly running?: () => readonly Held[];
}

export interface Held {
  readonly ip: string;
  readonly name: string;
}

export function createUplinks(options: UplinksOptions = {}): Uplinks {
  const roots: Roots = { sys: options.sysRoot ?? "/sys", proc: options.procRoot ?? "/proc" };
  const running = options.running ?? runningInterfaces;
  /** An interface without carrier is missing from `running`, just when it matters who held the address. */
  const remembered = new Map<string, string>();

  const holderOf = ({ host, family }: AddressParts): string | undefined =>
    remembered.get(normal(host)) ??
    (family === 6 ? holderByInet6(roots, hexOf(host)) : holderByRoute(roots, host));

  const remember = (): void => {
    for (const { ip, name } of running()) remembered.set(normal(ip), name);
  };
  remember();

  return {
    look: (own) => {
      remember();
      const parts = own.flatMap((address) => addressParts(address) ?? []);
      const holders = new Map(parts.map((part) => [part.host, holderOf(part)]));
      return Promise.resolve(judge(roots, holders));
    },
  };
}

/**
 * Loopback counts as any other: it always has carrier. So does the way to the gateway: two hosts with
 * a cable between them lose their mesh with it, and must still say so over their other network.
 */
function judge(roots: Roots, holders: ReadonlyMap<string, string | undefined>): Uplink {
  const held = [...holders.values()].filter((name) => name !== undefined);
  const names = new Set([...held, ...defaultRouteHolders(roots)]);
  const homeless = [...holders].filter(([, name]) => name === undefined).map(([ip]) => ip);
  const looks = [...names].map((name) => ({ name, carrier: hasCarrier(roots, name) }));
  const sentences = [
    ...looks.map(({ name, carrier }) =>
      carrier ? `${name}: ${describe(roots, name)}` : `${name}: no carrier`,
    ),
    ...homeless.map((ip) => `no interface holds ${ip}`),
  ];
  return {
    up: looks.some(({ carrier }) => carrier),
    detail: sentences.length === 0 ? "no address to look at" : sentences.join("; "),
  };
}

const GATEWAY_WORDS = {
  complete: "answers",
  incomplete: "does not answer",
  absent: "has not been asked",
} as const;

function describe(roots: Roots, name: string): string {
  const gateway = gatewayOf(roots, name);
  if (gateway === undefined) return "carrier";
  return `carrier, gateway ${gateway} ${GATEWAY_WORDS[neighbourState(roots, gateway, name)]}`;
}

function runningInterfaces(): Held[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).map(({ address }) => ({ ip: address, name })),
  );
}

/** IPv6 is written in several ways; WHATWG URL has the one canonical form. */
const normal = (host: string): string =>
  host.includes(":") ? (URL.parse(`http://[${host}]`)?.hostname ?? host) : host;

/** The 32 hex digits of an IPv6 address, as /proc/net/if_inet6 has it. */
function hexOf(host: string): string {
  const canonical = normal(host).replace(/^\[|\]$/g, "");
  const [head = "", tail] = canonical.split("::");
  const groups = (text: string): string =>
    text === ""
      ? ""
      : text
          .split(":")
          .map((group) => group.padStart(4, "0"))
          .join("");
  const before = groups(head);
  const behind = tail === undefined ? "" : groups(tail);
  return before + "0".repeat(Math.max(0, 32 - before.length - behind.length)) + behind;
}
