/** The mesh of the demonstration, and what happens in it as events on one clock that starts when it is ready. */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { FROM_SOURCE } from "../lab/driver/checkout.ts";
import { machineMs } from "../lab/driver/clock.ts";
import { type Action, DEFAULT_PORT, Mesh } from "../lab/driver/mesh.ts";
import { messageIn, subjectNames } from "../lab/driver/message.ts";
import { namespaceNetwork, whyNoNamespaces } from "../lab/driver/namespaces.ts";
import { loopbackNetwork, type Network } from "../lab/driver/network.ts";
import type { Delivery } from "../lab/driver/receiver.ts";
import type { Notification } from "../src/core/notification.ts";
import { Account, type Balance } from "./account.ts";
import { NODES } from "./arguments.ts";

/** What is printed as JSON, one a line, after `schema`. Times count from `ready`. */
export type DemoEvent =
  | {
      readonly event: "ready";
      readonly atMs: number;
      readonly setupMs: number;
      readonly nodes: readonly {
        readonly name: string;
        readonly id: string;
        readonly address: string;
        readonly pid: number;
      }[];
    }
  | { readonly event: "action"; readonly atMs: number; readonly action: Action; readonly node: string }
  | {
      readonly event: "verdict";
      readonly atMs: number;
      readonly observer: string;
      readonly subject: string;
      readonly from: string;
      readonly to: string;
      readonly why: string;
    }
  | {
      readonly event: "message";
      readonly atMs: number;
      /** Since the last action on one of its subjects. */
      readonly sinceActionMs: number | null;
      readonly message: Notification;
    }
  | ({ readonly event: "done"; readonly atMs: number } & Balance);

/**
 * On loopback the kernel answers for a killed daemon, so the verdict is `daemon-down`; the 15 s
 * that a real mesh grants systemd to restart it would make a dull demonstration.
 */
export const GRACE = "0s";
/** Below Linux' range of ephemeral ports (32768 on). */
const PORT_RANGE = { first: 20_000, count: 10_000 };
const PORT_TRIES_MAX = 50;

export class Stage {
  readonly mesh: Mesh;
  readonly #account = new Account();
  readonly #zeroMs: number;
  readonly #setupMs: number;
  #emit: (event: DemoEvent) => void = () => {};

  private constructor(mesh: Mesh, setupMs: number) {
    this.mesh = mesh;
    this.#setupMs = setupMs;
    this.#zeroMs = machineMs();
  }

  static async set(netns: boolean, progress: (text: string) => void): Promise<Stage> {
    const began = machineMs();
    const network = netns ? namespaces() : loopbackNetwork();
    const port = netns ? DEFAULT_PORT : await freePort(network);
    const mesh = await Mesh.form({
      names: NODES,
      network,
      balefire: FROM_SOURCE,
      port,
      policy: { daemonDown: { grace: GRACE } },
      progress,
    });
    return new Stage(mesh, Math.round(machineMs() - began));
  }

  /** Emits `ready` now and everything that happens from now on. */
  tell(emit: (event: DemoEvent) => void): void {
    this.#emit = emit;
    const nodes = this.mesh.daemons.map(({ name, id, address, pid }) => ({ name, id, address, pid }));
    emit({ event: "ready", atMs: 0, setupMs: this.#setupMs, nodes });
    this.mesh.receiver.listen((delivery) => this.#delivered(delivery));
    this.mesh.listen(({ atMs, observer, event }) => {
      if (event.event !== "verdict") return;
      const { name, from, to, why } = event as unknown as Record<"name" | "from" | "to" | "why", string>;
      emit({ event: "verdict", atMs: this.#at(atMs), observer, subject: name, from, to, why });
    });
  }

  #at(machine: number): number {
    return Math.round((machine - this.#zeroMs) * 10) / 10;
  }

  get nowMs(): number {
    return this.#at(machineMs());
  }

  #delivered(delivery: Delivery): void {
    const message = messageIn(delivery);
    if (message === undefined) return;
    const atMs = this.#at(delivery.atMs);
    const names = subjectNames(message);
    if (message.state !== "note") this.#account.told(message.state, names, atMs);
    const since = this.#account.sinceAction(names, atMs);
    this.#emit({
      event: "message",
      atMs,
      sinceActionMs: since === null ? null : Math.round(since * 10) / 10,
      message,
    });
  }

  /** The action counts from its beginning: the message may arrive before it has ended. */
  async perform(action: Action, node: string): Promise<void> {
    const atMs = this.nowMs;
    this.#account.performed(action, node, atMs);
    this.#emit({ event: "action", atMs, action, node });
    await this.mesh.perform(action, node);
  }

  /** Emits and returns the end of the account. */
  finish(): Balance {
    const balance = this.#account.balance();
    this.#emit({ event: "done", atMs: this.nowMs, ...balance });
    return balance;
  }

  close(): Promise<void> {
    return this.mesh.close();
  }
}

function namespaces(): Network {
  const reason = whyNoNamespaces();
  if (reason !== undefined) throw new Error(`--netns: ${reason}`);
  return namespaceNetwork(NODES.length);
}

/** The usual port when it is free on all addresses, else another that is. */
async function freePort(network: Network): Promise<number> {
  const addresses = NODES.map((_, place) => network.addressOf(place));
  let port = DEFAULT_PORT;
  for (let tries = 0; tries < PORT_TRIES_MAX; tries += 1) {
    const free = await Promise.all(
      addresses.flatMap((address) => [tcpIsFree(address, port), udpIsFree(address, port)]),
    );
    if (free.every(Boolean)) return port;
    port = PORT_RANGE.first + Math.floor(Math.random() * PORT_RANGE.count);
  }
  throw new Error(`no port is free on ${addresses.join(", ")}`);
}

const tcpIsFree = (address: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });

const udpIsFree = (address: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => resolve(false));
    socket.bind(port, address, () => socket.close(() => resolve(true)));
  });
