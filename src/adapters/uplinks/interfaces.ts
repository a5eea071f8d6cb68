/**
 * Which interface holds an address, and whether it has carrier: from /sys/class/net and /proc/net.
 * Read synchronously: these are no files on a disk, each takes microseconds, and the thread pool
 * that an asynchronous read needs may be waiting for one.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Roots {
  /** `/sys` */
  readonly sys: string;
  /** `/proc` */
  readonly proc: string;
}

/** VLAN on bond on bridge is three; deeper than this is a loop or a mistake. */
const DEPTH_MAX: number = 5;

/** Undefined when it cannot be read; an interface that is switched off answers EINVAL. */
export function readText(...path: string[]): string | undefined {
  try {
    return readFileSync(join(...path), "utf8");
  } catch {
    return undefined;
  }
}

export function readLines(...path: string[]): string[] {
  return (readText(...path) ?? "").split("\n").filter((line) => line !== "");
}

function names(...path: string[]): string[] {
  try {
    return readdirSync(join(...path));
  } catch {
    return [];
  }
}

/**
 * Whether a cable, at the bottom, is connected. The carrier of a bridge is no proof: on a Proxmox
 * host the bridge with the address has carrier while one guest runs. So bridges and VLANs are
 * followed down to what has hardware or is a bond; guests' ports (tap, veth) do not count.
 */
export function hasCarrier(roots: Roots, name: string, depth: number = 0): boolean {
  const folder = join(roots.sys, "class/net", name);
  if (readText(folder, "carrier")?.trim() !== "1") return false;
  if (existsSync(join(folder, "bonding")) || depth === DEPTH_MAX) return true;
  const lower = lowerInterfaces(folder);
  const below = existsSync(join(folder, "bridge")) ? lower.filter((port) => leadsOut(roots, port)) : lower;
  return below.length === 0 || below.some((port) => hasCarrier(roots, port, depth + 1));
}

/** The kernel links each interface to those it stands on as `lower_<name>`. */
const lowerInterfaces = (folder: string): string[] =>
  names(folder)
    .filter((entry) => entry.startsWith("lower_"))
    .map((entry) => entry.slice("lower_".length));

function leadsOut(roots: Roots, port: string): boolean {
  const folder = join(roots.sys, "class/net", port);
  return existsSync(join(folder, "device")) || lowerInterfaces(folder).length > 0;
}

/** IPv4 in the notation of /proc/net/route: eight hex digits in host order, little-endian here. */
const fromHexV4 = (hex: string): number[] =>
  [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

const asNumber = (bytes: readonly number[]): number => bytes.reduce((total, byte) => total * 256 + byte, 0);

interface RouteV4 {
  readonly name: string;
  readonly destination: number;
  readonly gateway: readonly number[];
  readonly mask: number;
}

/** /proc/net/route: Iface Destination Gateway Flags RefCnt Use Metric Mask … (proc_net(5)). */
function routesV4(roots: Roots): RouteV4[] {
  return readLines(roots.proc, "net/route")
    .slice(1)
    .flatMap((line) => {
      const [name, destination, gateway, , , , , mask] = line.split("\t").map((field) => field.trim());
      if (name === undefined || destination === undefined || gateway === undefined || mask === undefined)
        return [];
      return [
        {
          name,
          destination: asNumber(fromHexV4(destination)),
          gateway: fromHexV4(gateway),
          mask: asNumber(fromHexV4(mask)),
        },
      ];
    });
}

/** A default route: the way to people, whichever network the mesh is on. */
export interface DefaultRoute {
  readonly name: string;
  /** Its IP address. */
  readonly host: string;
}

/** Those with a gateway, each once, in the kernel's order. */
export function defaultRoutes(roots: Roots): DefaultRoute[] {
  const found = [...defaultRoutesV4(roots), ...defaultRoutesV6(roots)];
  return [...new Map(found.map((route) => [`${route.name} ${route.host}`, route])).values()];
}

const defaultRoutesV4 = (roots: Roots): DefaultRoute[] =>
  routesV4(roots)
    .filter(({ mask, gateway }) => mask === 0 && asNumber(gateway) !== 0)
    .map(({ name, gateway }) => ({ name, host: gateway.join(".") }));

/** RTF_REJECT (linux/route.h, linux/ipv6_route.h): such a route says that there is none. */
const ROUTE_REJECTS = 0x200;

/**
 * /proc/net/ipv6_route: destination, its prefix length, source, its prefix length, next hop, metric,
 * reference count, use, flags, interface; all but the last in hex.
 */
function defaultRoutesV6(roots: Roots): DefaultRoute[] {
  return readLines(roots.proc, "net/ipv6_route").flatMap((line) => {
    const [destination, length, , , hop, , , , flags, name] = line.trim().split(/\s+/);
    const isDefault = length === "00" && /^0+$/.test(destination ?? "");
    const rejects = (Number.parseInt(flags ?? "0", 16) & ROUTE_REJECTS) !== 0;
    if (!isDefault || rejects || name === undefined || hop === undefined || /^0+$/.test(hop)) return [];
    return [{ name, host: fromHexV6(hop) }];
  });
}

/** In its canonical form (RFC 5952), as the URL parser writes it. */
function fromHexV6(hex: string): string {
  const text = hex.match(/.{4}/g)?.join(":") ?? "";
  return URL.parse(`http://[${text}]`)?.hostname.slice(1, -1) ?? text;
}

/** `complete` in the kernel's neighbour table: it has answered, and not failed to answer since. */
export type Neighbour = "complete" | "incomplete" | "absent";

/** /proc/net/arp: IP, type, flags, address, mask, device; ATF_COM is 0x2 (linux/if_arp.h). */
export function neighbourState(roots: Roots, ip: string, name: string): Neighbour {
  for (const line of readLines(roots.proc, "net/arp").slice(1)) {
    const [entry, , flags, , , device] = line.split(/\s+/);
    if (entry !== ip || device !== name) continue;
    return (Number(flags) & 0x2) === 0 ? "incomplete" : "complete";
  }
  return "absent";
}

/** The interface whose network an IPv4 address is in, narrowest first; outlives the loss of carrier. */
export function holderByRoute(roots: Roots, ip: string): string | undefined {
  const wanted = asNumber(ip.split(".").map(Number));
  const masked = (mask: number): number => Number(BigInt(wanted) & BigInt(mask));
  const found = routesV4(roots)
    .filter(({ mask, destination }) => mask !== 0 && masked(mask) === destination)
    .sort((a, b) => b.mask - a.mask);
  return found[0]?.name;
}

/** /proc/net/if_inet6: address in 32 hex digits, index, prefix, scope, flags, name. */
export function holderByInet6(roots: Roots, hex: string): string | undefined {
  for (const line of readLines(roots.proc, "net/if_inet6")) {
    const fields = line.trim().split(/\s+/);
    if (fields[0] === hex) return fields[5];
  }
  return undefined;
}
