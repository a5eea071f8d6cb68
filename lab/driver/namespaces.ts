/**
 * One bridge in a namespace of its own (`bf-<pid>-<random>-sw`), one namespace a node on it,
 * joined by veth pairs: port `pN` on the bridge, `eth0` in the node. The receiver sits at the bridge,
 * which is everyone's default gateway. A second network, where wanted: bridge `br1`, port `qN`, `eth1`.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { runNow } from "./child.ts";
import { atEnd } from "./cleanup.ts";
import { roomForNeighbours } from "./neighbours.ts";
import type { Network } from "./network.ts";
import { spawnReceiver } from "./remote-receiver.ts";

export const NODES_MAX = 40;
const NETNS_FOLDER = "/run/netns";
const HUB_ADDRESS = "10.77.0.1";
const SECOND_HUB_ADDRESS = "10.78.0.1";
/** Where the product knocks to see whether a gateway is there (RFC 863, discard). */
const KNOCK_PORT = 9;
const FIRST_HOST = 11;

export interface Counters {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export interface NamespaceNetwork extends Network {
  readonly kind: "namespaces";
  /** The node's namespace, as `ip netns` lists it. */
  namespaceOf(place: number): string;
  /** A switch that stopped forwarding: the node keeps its carrier, nothing passes. */
  isolate(place: number): void;
  rejoin(place: number): void;
  /** Drops this share of what arrives at the node, at random. */
  lose(place: number, percent: number): void;
  /** Drops everything that one node sends to another, in this direction only; adds to what is dropped already. */
  deafen(place: number, to: number): void;
  /** Drops all that arrives at the node but ARP: it hears nobody, and is heard by everyone. */
  stopEars(place: number): void;
  /** Drops what the receiver answers this node; the gateway at the same address still answers. */
  loseReceiver(place: number): void;
  /** The switch of this network loses its power, or has it again: every node's carrier there goes or comes. */
  powerSwitch(network: 1 | 2, on: boolean): void;
  /** The first network's switch forwards between these groups no more; its gateway stays within reach. */
  split(groups: readonly (readonly number[])[]): void;
  /** Takes all filters off a node. */
  clear(place: number): void;
  counters(place: number): Counters;
}

/** Undefined when namespaces can be used here, else the reason in a few words. */
export function whyNoNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  for (const tool of ["ip", "nft"]) {
    if (!["/usr/sbin", "/sbin", "/usr/bin", "/bin"].some((folder) => existsSync(`${folder}/${tool}`))) {
      return `${tool} is not installed (apt-get install ${tool === "ip" ? "iproute2" : "nftables"})`;
    }
  }
  const name = `bf-${process.pid}-try`;
  try {
    runNow(["ip", "netns", "add", name]);
    runNow(["ip", "-n", name, "link", "add", "p0", "type", "veth", "peer", "name", "p1"]);
    runNow(["ip", "-n", name, "link", "add", "br0", "type", "bridge"]);
    runNow(["ip", "netns", "exec", name, "nft", "list", "ruleset"]);
    return undefined;
  } catch (error) {
    return `namespaces are refused here: ${firstLine(error)}`;
  } finally {
    if (existsSync(`${NETNS_FOLDER}/${name}`)) runNow(["ip", "netns", "del", name]);
  }
}

/** Builds the bridge and its nodes; removes them with `close`, or when this process ends. */
export function namespaceNetwork(size: number, networks: 1 | 2 = 1): NamespaceNetwork {
  if (size < 1 || size > NODES_MAX) throw new Error(`${size} nodes: 1 to ${NODES_MAX} are possible`);
  sweep();
  const prefix = `bf-${process.pid}-${randomBytes(2).toString("hex")}`;
  const hub = `${prefix}-sw`;
  const host = (place: number): string => `${prefix}-n${place}`;
  const close = atEnd(() => removeNamespaces((name) => name.startsWith(`${prefix}-`)));
  const usualRoom = roomForNeighbours(size * networks);
  addHub(hub);
  for (let place = 0; place < size; place += 1) addHost(hub, host(place), place);
  if (networks === 2) addSecond(hub, size, host);

  const port = (place: number, ...words: string[]): string =>
    runNow(["ip", "-n", hub, "link", "set", `p${place}`, ...words]);
  const filter = (place: number, rule: string): string =>
    runNow(["ip", "netns", "exec", host(place), "nft", "-f", "-"], filterScript(rule));
  return {
    kind: "namespaces",
    namespaceOf: host,
    addressOf,
    addressesOf: (place) =>
      networks === 2 ? [addressOf(place), secondAddressOf(place)] : [addressOf(place)],
    inside: (place, argv) => ["ip", "netns", "exec", host(place), ...argv],
    cut: (place) => port(place, "down"),
    restore: (place) => port(place, "up"),
    isolate: (place) => port(place, "nomaster"),
    rejoin: (place) => port(place, "master", "br0"),
    lose: (place, percent) =>
      filter(place, percent >= 100 ? "drop" : `numgen random mod 100 < ${percent} drop`),
    deafen: (place, to) => filter(place, `ip saddr ${addressOf(to)} drop`),
    stopEars: (place) => filter(place, "meta protocol ip drop"),
    loseReceiver: (place) => filter(place, `ip saddr ${HUB_ADDRESS} tcp sport != ${KNOCK_PORT} drop`),
    powerSwitch: (which, on) => {
      const first = which === 1 ? "p" : "q";
      for (let place = 0; place < size; place += 1)
        runNow(["ip", "-n", hub, "link", "set", `${first}${place}`, on ? "up" : "down"]);
    },
    split: (groups) => {
      for (const group of groups) {
        const others = groups.filter((other) => other !== group).flat();
        const rule = `ip saddr { ${others.map(addressOf).join(", ")} } drop`;
        for (const place of group) if (others.length > 0) filter(place, rule);
      }
    },
    clear: (place) => runNow(["ip", "netns", "exec", host(place), "nft", "flush", "ruleset"]),
    counters: (place) => counters(host(place)),
    openReceiver: () => spawnReceiver((argv) => ["ip", "netns", "exec", hub, ...argv], HUB_ADDRESS),
    close: () => {
      close();
      usualRoom();
    },
  };
}

const addressOf = (place: number): string => `10.77.0.${FIRST_HOST + place}`;
const secondAddressOf = (place: number): string => `10.78.0.${FIRST_HOST + place}`;

function addHub(hub: string): void {
  runNow(["ip", "netns", "add", hub]);
  runNow(
    ["ip", "-n", hub, "-batch", "-"],
    [
      "link set lo up",
      // Without an address of its own a bridge takes the lowest of its ports, and another when that one leaves.
      "link add br0 address 02:bf:00:00:00:01 type bridge",
      `addr add ${HUB_ADDRESS}/24 dev br0`,
      "link set br0 up",
    ].join("\n"),
  );
}

function addHost(hub: string, host: string, place: number): void {
  runNow(["ip", "netns", "add", host]);
  runNow(
    ["ip", "-n", hub, "-batch", "-"],
    [`link add p${place} type veth peer name eth0 netns ${host}`, `link set p${place} master br0 up`].join(
      "\n",
    ),
  );
  runNow(
    ["ip", "-n", host, "-batch", "-"],
    [
      "link set lo up",
      `addr add ${addressOf(place)}/24 dev eth0`,
      "link set eth0 up",
      `route add default via ${HUB_ADDRESS}`,
    ].join("\n"),
  );
}

/** The receiver is within reach over either network: a route whose interface has no carrier gives way to the other. */
function addSecond(hub: string, size: number, host: (place: number) => string): void {
  const bridge = `link add br1 address 02:bf:00:00:00:02 type bridge\naddr add ${SECOND_HUB_ADDRESS}/24 dev br1\nlink set br1 up`;
  runNow(["ip", "-n", hub, "-batch", "-"], bridge);
  setKernel(hub, "ip_forward", 0);
  for (let place = 0; place < size; place += 1) {
    const pair = `link add q${place} type veth peer name eth1 netns ${host(place)}`;
    runNow(["ip", "-n", hub, "-batch", "-"], `${pair}\nlink set q${place} master br1 up`);
    setKernel(host(place), "conf/all/ignore_routes_with_linkdown", 1);
    const own = `addr add ${secondAddressOf(place)}/24 dev eth1\nlink set eth1 up`;
    const way = `route add default via ${SECOND_HUB_ADDRESS} metric 200`;
    runNow(["ip", "-n", host(place), "-batch", "-"], `${own}\n${way}`);
  }
}

function setKernel(namespace: string, setting: string, value: number): void {
  const command = `echo ${value} > /proc/sys/net/ipv4/${setting}`;
  runNow(["ip", "netns", "exec", namespace, "sh", "-c", command]);
}

/** nft 1.0 wants the hook's line and the rule's line apart. */
const filterScript = (rule: string): string =>
  [
    "table netdev lab {",
    "  chain arriving {",
    '    type filter hook ingress device "eth0" priority 0; policy accept;',
    `    ${rule}`,
    "  }",
    "}",
    "",
  ].join("\n");

interface LinkReport {
  readonly stats64: { readonly rx: { readonly bytes: number }; readonly tx: { readonly bytes: number } };
}

function counters(host: string): Counters {
  const [link] = JSON.parse(runNow(["ip", "-n", host, "-s", "-j", "link", "show", "eth0"])) as LinkReport[];
  return { receivedBytes: link?.stats64.rx.bytes ?? 0, sentBytes: link?.stats64.tx.bytes ?? 0 };
}

/** Removes what a lab that was killed left behind: namespaces whose maker no longer lives. */
function sweep(): void {
  removeNamespaces((name) => {
    const maker = /^bf-(\d+)-/.exec(name)?.[1];
    return maker !== undefined && !existsSync(`/proc/${maker}`);
  });
}

function removeNamespaces(wanted: (name: string) => boolean): void {
  if (!existsSync(NETNS_FOLDER)) return;
  const names = readdirSync(NETNS_FOLDER).filter(wanted);
  for (const name of names) {
    for (const pid of processesIn(name)) kill(pid);
  }
  for (const name of names) runNow(["ip", "netns", "del", name]);
}

/** A namespace that was only half made cannot be asked, and holds no processes. */
function processesIn(name: string): readonly number[] {
  try {
    return runNow(["ip", "netns", "pids", name]).split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n").slice(-1)[0] ?? "unknown";
