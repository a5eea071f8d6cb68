import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { Address } from "../core/types.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { NODE_ADDRESSES_MAX } from "../wire/roster.ts";

export const DEFAULT_MESH_PORT = 7654;
const PORT_MAX = 65_535;

/**
 * The addresses others reach a node at, in canonical form: `IP:PORT`, IPv6 in brackets.
 * Names are refused, since a mesh that needs DNS to find its peers goes blind with it.
 */
export function parseOwnAddresses(texts: readonly string[]): Result<readonly Address[]> {
  if (texts.length === 0) {
    return failure(
      "address-invalid",
      "no address given",
      "Pass --address IP[:PORT], reachable from the other hosts.",
    );
  }
  if (texts.length > NODE_ADDRESSES_MAX) {
    return failure("address-invalid", `${texts.length} addresses given, ${NODE_ADDRESSES_MAX} at most`);
  }
  const addresses: Address[] = [];
  for (const text of texts) {
    const parsed = parseAddress(text);
    if (!parsed.ok) return parsed;
    if (addresses.includes(parsed.value))
      return failure("address-invalid", `address ${parsed.value} is given twice`);
    addresses.push(parsed.value);
  }
  return ok(addresses);
}

/** One address; the port defaults to 7654. Fails with `address-invalid`. */
export function parseAddress(text: string): Result<Address> {
  const split = splitPort(text.trim());
  if (split === undefined) {
    return invalid(
      text,
      "not an IP address with an optional port",
      "Write it as 10.0.0.1, 10.0.0.1:7654 or [fd00::1]:7654.",
    );
  }
  const { host, port } = split;
  if (!Number.isInteger(port) || port < 1 || port > PORT_MAX)
    return invalid(text, "its port is not within 1 to 65535");
  const why = isIP(host) === 4 ? unusable4(host) : unusable6(canonical6(host));
  if (why !== undefined)
    return invalid(text, why, "Give one fixed address of this host that the other hosts can reach.");
  return ok(isIP(host) === 4 ? `${host}:${port}` : `[${canonical6(host)}]:${port}`);
}

/**
 * A sentence for each address that no interface holds now. Only a hint: the interface may come up
 * later; but the daemon cannot start before, and the roster keeps what was given.
 */
export function hintsAbout(addresses: readonly Address[]): string[] {
  const held = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const hosts = new Set(
    held.map(({ address, family }) => (family === "IPv6" ? canonical6(withoutZone(address)) : address)),
  );
  return addresses.flatMap((address) => {
    const host = splitPort(address)?.host ?? "";
    // All of 127.0.0.0/8 is this host's, though `lo` names only the first.
    if (host.startsWith("127.") || hosts.has(host)) return [];
    return `note: no interface of this host holds ${host} now; the daemon cannot start before one does`;
  });
}

const withoutZone = (host: string): string => host.split("%")[0] ?? host;

function splitPort(text: string): { host: string; port: number } | undefined {
  if (isIP(text) !== 0 && !text.includes("%")) return { host: text, port: DEFAULT_MESH_PORT };
  const match = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<four>[0-9.]+))(?::(?<port>\d{1,5}))?$/.exec(text);
  const { six, four, port } = match?.groups ?? {};
  const host = six ?? four ?? "";
  if (isIP(host) !== (six === undefined ? 4 : 6)) return undefined;
  return { host, port: port === undefined ? DEFAULT_MESH_PORT : Number(port) };
}

function unusable4(host: string): string | undefined {
  const first = Number(host.split(".")[0]);
  if (first === 0) return "it means every address and so names no host";
  if (first >= 224 && first <= 239) return "it is a multicast address";
  if (first >= 240) return "it is a broadcast or reserved address";
  return undefined;
}

function unusable6(host: string): string | undefined {
  if (host === "::") return "it means every address and so names no host";
  if (host.startsWith("ff")) return "it is a multicast address";
  if (/^fe[89ab]/.test(host))
    return "it is a link-local address, which only means something with an interface";
  if (host.startsWith("::ffff:")) return "it is an IPv4 address in IPv6 form; write the IPv4 address";
  return undefined;
}

/** RFC 5952 form, as the URL parser writes it. */
const canonical6 = (host: string): string => new URL(`http://[${host}]/`).hostname.slice(1, -1);

const invalid = (text: string, why: string, remedy?: string): Result<never> =>
  failure("address-invalid", `address ${text.slice(0, 64)}: ${why}`, remedy);
