/** What this host can tell of its own network: carrier of the interfaces with mesh addresses or a default route, and their gateways. */
import { networkInterfaces } from "node:os";
import type { Uplink } from "../../core/types.ts";
import type { Uplinks } from "../../ports/uplinks.ts";
import { type AddressParts, addressParts } from "../../wire/address.ts";
import { type Gateway, type GatewayLook, Gateways, type Knock } from "./gateways.ts";
import { defaultRoutes, hasCarrier, holderByInet6, holderByRoute, type Roots } from "./interfaces.ts";

export interface UplinksOptions {
  /** Default: `/sys`. */
  readonly sysRoot?: string;
  /** Default: `/proc`. */
  readonly procRoot?: string;
  /** Addresses of the interfaces that run. Default: what the system says. */
  readonly running?: () => readonly Held[];
  /** How to ask a gateway whether it is there. Default: by a TCP connection. */
  readonly knock?: (gateway: Gateway) => Promise<Knock>;
}

export interface Held {
  readonly ip: string;
  readonly name: string;
}

export function createUplinks(options: UplinksOptions = {}): Uplinks {
  const roots: Roots = { sys: options.sysRoot ?? "/sys", proc: options.procRoot ?? "/proc" };
  const running = options.running ?? runningInterfaces;
  const gateways = new Gateways(options.knock);
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
    look: async (own) => {
      remember();
      const parts = own.flatMap((address) => addressParts(address) ?? []);
      const holders = new Map(parts.map((part) => [part.host, holderOf(part)]));
      const seen = await gateways.look(roots, leavesHost(holders) ? defaultRoutes(roots) : []);
      return judge(roots, holders, seen);
    },
  };
}

/**
 * Loopback counts as any other: it always has carrier. So does the way to the gateway: two hosts with
 * a cable between them lose their mesh with it, and must still say so over their other network. But
 * where every gateway that is known to answer has fallen silent, this host is the one that is deaf.
 */
function judge(
  roots: Roots,
  holders: ReadonlyMap<string, string | undefined>,
  gateways: readonly GatewayLook[],
): Uplink {
  const held = [...holders.values()].filter((name) => name !== undefined);
  const names = new Set([...held, ...gateways.map(({ name }) => name)]);
  const homeless = [...holders].filter(([, name]) => name === undefined).map(([ip]) => ip);
  const looks = [...names].map((name) => ({ name, carrier: hasCarrier(roots, name) }));
  const sentences = [
    ...looks.map(({ name, carrier }) =>
      carrier ? `${name}: ${describe(name, gateways)}` : `${name}: no carrier`,
    ),
    ...homeless.map((ip) => `no interface holds ${ip}`),
  ];
  const known = gateways.filter((gateway) => gateway.known);
  const deaf = known.length > 0 && known.every(({ state }) => state !== "answers");
  return {
    up: looks.some(({ carrier }) => carrier) && !deaf,
    detail: sentences.length === 0 ? "no address to look at" : sentences.join("; "),
  };
}

/** A mesh within one host, as in a demonstration, does not depend on any gateway. */
const leavesHost = (holders: ReadonlyMap<string, string | undefined>): boolean =>
  [...holders.values()].some((name) => name !== LOOPBACK);
const LOOPBACK = "lo";

const GATEWAY_WORDS = {
  answers: "answers",
  absent: "does not answer",
  silent: "does not answer any more",
  mute: "does not answer, nor did it before",
} as const;

function describe(name: string, gateways: readonly GatewayLook[]): string {
  const by = gateways.filter((gateway) => gateway.name === name);
  return ["carrier", ...by.map(({ host, state }) => `gateway ${host} ${GATEWAY_WORDS[state]}`)].join(", ");
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
