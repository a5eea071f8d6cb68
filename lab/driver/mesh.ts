/**
 * A mesh of real daemons, formed by the real init, token and join, and what can be done to it.
 * The demonstration, the lab, the benchmark and the end-to-end tests all drive this one.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StatusReport, TokenCreateReport, WatchEvent } from "../../src/wire/rpc.ts";
import { atEnd } from "./cleanup.ts";
import { machineMs, until } from "./clock.ts";
import { Daemon } from "./daemon.ts";
import type { Network } from "./network.ts";
import type { Delivery, Receiver } from "./receiver.ts";
import { keptRecoveryCode, putOnShelf, takeFromShelf } from "./shelf.ts";

export const DEFAULT_PORT = 7654;
export const CHANNEL = "phone";
const SETTLE_MS_MAX = 30_000;
const ROSTER_MS_MAX = 10_000;
const AT_ONCE = 2;

export type Action = "kill" | "stop" | "freeze" | "thaw" | "revive" | "cut" | "restore" | "power-loss";

/** As docs/configuration.md has it. */
export interface PolicyBlock {
  readonly daemonDown?: { readonly grace: string };
  readonly linkProblem?: { readonly grace: string };
  readonly clock?: { readonly grace: string };
  readonly missing?: { readonly after: string };
  readonly planned?: { readonly grace: string };
  readonly flap?: "off" | { readonly window?: string; readonly quiet?: string };
}

export interface MeshPlan {
  readonly names: readonly string[];
  readonly network: Network;
  readonly balefire: readonly string[];
  readonly port?: number;
  /** The `policy` block of every node's configuration; what is absent is as the product has it. */
  readonly policy?: PolicyBlock;
  /** More of a node's configuration. */
  readonly configOf?: (name: string) => Readonly<Record<string, unknown>>;
  /** How long the receiver may take to answer; the product's default when absent. */
  readonly channelTimeout?: string;
  readonly progress?: (text: string) => void;
}

/** One notice of one daemon, with the names in place. */
export interface Notice {
  /** When it reached us, on the machine's clock. */
  readonly atMs: number;
  readonly observer: string;
  readonly event: WatchEvent;
}

export class Mesh {
  readonly daemons: readonly Daemon[];
  readonly receiver: Receiver;
  readonly network: Network;
  readonly notices: Notice[] = [];
  /** Opens the root key that the mesh was made with. */
  recoveryCode = "";
  readonly #cutOff = new Set<string>();
  readonly #listeners = new Set<(notice: Notice) => void>();
  readonly #removeFolder: () => void;

  private constructor(
    daemons: readonly Daemon[],
    receiver: Receiver,
    network: Network,
    removeFolder: () => void,
  ) {
    this.daemons = daemons;
    this.receiver = receiver;
    this.network = network;
    this.#removeFolder = removeFolder;
    for (const daemon of daemons) daemon.onNotice((event) => this.#notice(daemon.name, event));
  }

  /**
   * Makes the state folders, forms the mesh, and resolves when everyone sees everyone alive. What was formed
   * before with the same names, addresses and executable is taken from the shelf (shelf.ts); others join it.
   */
  static async form(plan: MeshPlan): Promise<Mesh> {
    const folder = mkdtempSync(join(tmpdir(), "balefire-"));
    chmodSync(folder, 0o700);
    const removeFolder = atEnd(() => rmSync(folder, { recursive: true, force: true }));
    const receiver = await plan.network.openReceiver();
    const daemons = plan.names.map(
      (name, place) =>
        new Daemon({
          name,
          addresses: plan.network
            .addressesOf(place)
            .map((address) => `${address}:${plan.port ?? DEFAULT_PORT}`),
          folder: join(folder, name),
          balefire: plan.balefire,
          config: configText(receiver.url, plan, name),
          inside: (argv) => plan.network.inside(place, argv),
        }),
    );
    const mesh = new Mesh(daemons, receiver, plan.network, removeFolder);
    try {
      await mesh.#form(plan.balefire, plan.progress ?? (() => {}));
      return mesh;
    } catch (error) {
      await mesh.close();
      throw error;
    }
  }

  async #form(made: readonly string[], progress: (text: string) => void): Promise<void> {
    const [first] = this.daemons;
    if (first === undefined) throw new Error("a mesh has one node at least");
    const known = takeFromShelf(made, this.daemons);
    if (known === 0) {
      progress(`${first.name}: balefire init`);
      const printed = await first.cli("init", "--name", first.name, ...first.addressFlags, "--json");
      this.recoveryCode = (JSON.parse(printed) as { recoveryCode: string }).recoveryCode;
    } else {
      this.recoveryCode = keptRecoveryCode(made, this.daemons.slice(0, known));
      progress(`${known} of ${this.daemons.length} nodes as they were formed before`);
    }
    const members = Math.max(known, 1);
    await eachOf(this.daemons.slice(0, members), (daemon) => daemon.run());
    await eachOf(this.daemons.slice(members), async (daemon) => {
      progress(`${daemon.name}: balefire token create, join, run`);
      const created = await first.cli("token", "create", daemon.name, "--json");
      const { token } = JSON.parse(created) as TokenCreateReport;
      await daemon.cli("join", token, "--via", first.address, ...daemon.addressFlags, "--json");
      await daemon.run();
    });
    progress("waiting until everyone sees everyone");
    await this.settled();
    if (known === this.daemons.length) return;
    await this.#rosterIsOnDisk();
    putOnShelf(made, this.daemons, this.recoveryCode);
  }

  /** Everyone's memory has the newest roster when the mesh is settled; the disks follow. */
  async #rosterIsOnDisk(): Promise<void> {
    const roster = (daemon: Daemon): string => readFileSync(join(daemon.stateFolder, "roster.json"), "utf8");
    await until("every node to have the same roster on disk", ROSTER_MS_MAX, () =>
      new Set(this.daemons.map(roster)).size === 1 ? true : undefined,
    );
  }

  get names(): readonly string[] {
    return this.daemons.map((daemon) => daemon.name);
  }

  daemon(name: string): Daemon {
    const found = this.daemons.find((daemon) => daemon.name === name);
    if (found === undefined) throw new Error(`no node ${name}; there are ${this.names.join(", ")}`);
    return found;
  }

  #place(name: string): number {
    return this.daemons.indexOf(this.daemon(name));
  }

  nameOf(id: string): string {
    return this.daemons.find((daemon) => daemon.id === id)?.name ?? id;
  }

  isCutOff(name: string): boolean {
    return this.#cutOff.has(name);
  }

  #notice(observer: string, event: WatchEvent): void {
    const notice = { atMs: machineMs(), observer, event };
    this.notices.push(notice);
    for (const listener of this.#listeners) listener(notice);
  }

  /** Calls back for every notice from now on, until the returned function is called. */
  listen(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Does one thing to one node; resolves with the time at which it was begun, on the machine's clock. */
  async perform(action: Action, name: string): Promise<number> {
    const daemon = this.daemon(name);
    const begun = machineMs();
    switch (action) {
      case "kill":
        await daemon.kill();
        break;
      case "stop":
        await daemon.stop();
        break;
      case "freeze":
        daemon.freeze();
        break;
      case "thaw":
        daemon.thaw();
        break;
      case "revive":
        if (this.#cutOff.has(name)) this.#restore(name);
        await daemon.run();
        break;
      case "cut":
        this.#cut(name);
        break;
      case "restore":
        this.#restore(name);
        break;
      case "power-loss":
        // The link goes first: a kernel with power would still send FIN or RST for its dead daemon.
        this.#cut(name);
        await daemon.kill();
        break;
    }
    return begun;
  }

  #cut(name: string): void {
    this.network.cut(this.#place(name));
    this.#cutOff.add(name);
  }

  #restore(name: string): void {
    this.network.restore(this.#place(name));
    this.#cutOff.delete(name);
  }

  /** Resolves when every running node sees every running node alive and no incident is open; returns what they said. */
  settled(timeoutMs: number = SETTLE_MS_MAX): Promise<readonly StatusReport[]> {
    let last: StatusReport[] = [];
    const running = this.daemons.filter((daemon) => daemon.state === "running");
    // Asking is work for those who are to settle: one after another, and first who was the last that had not.
    const line = [...running];
    const everyMs = Math.max(25, 10 * running.length);
    return until(
      "everyone to see everyone alive",
      timeoutMs,
      async () => {
        last = [];
        for (const [place, daemon] of line.entries()) {
          const report = await daemon.status();
          last.push(report);
          if (isCalm(report, running)) continue;
          line.unshift(...line.splice(place, 1));
          return undefined;
        }
        return last;
      },
      everyMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${last.map(describeStatus).join("\n")}\n${this.logTails()}`);
    });
  }

  /** Resolves with the first delivery, from index `from` on, that matches. */
  delivery(
    what: string,
    timeoutMs: number,
    matches: (delivery: Delivery) => boolean,
    from = 0,
  ): Promise<Delivery> {
    return until(what, timeoutMs, () => this.receiver.deliveries.slice(from).find(matches), 5);
  }

  logTails(): string {
    return this.daemons.map((daemon) => `--- ${daemon.name}\n${daemon.logTail()}`).join("\n");
  }

  /** Ends every daemon and removes every trace. */
  async close(): Promise<void> {
    await Promise.all(this.daemons.map((daemon) => daemon.kill()));
    await this.receiver.close();
    this.network.close();
    this.#removeFolder();
  }
}

/** In their order, so many at once as do not starve one another. */
async function eachOf<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const work = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** JSON is YAML. */
function configText(url: string, { policy, channelTimeout, configOf }: MeshPlan, name: string): string {
  const timeout = channelTimeout === undefined ? {} : { timeout: channelTimeout };
  const channels = [{ name: CHANNEL, type: "webhook", url, ...timeout }];
  // Several daemons share one loopback, which has one port 7655.
  const http = { listen: "off" };
  const more = configOf?.(name) ?? {};
  return `${JSON.stringify({ channels, http, ...(policy === undefined ? {} : { policy }), ...more })}\n`;
}

/** Alive as seen from one node, itself included. */
const isCalm = (report: StatusReport, running: readonly Daemon[]): boolean =>
  report.openIncidents === 0 &&
  running.every(({ id }) => report.nodes.some((node) => node.id === id && isAlive(node.verdict)));

const isAlive = (verdict: string): boolean => verdict === "alive" || verdict === "self";

const describeStatus = (report: StatusReport): string =>
  `${report.name}: ${report.nodes.map((node) => `${node.name} ${node.verdict}`).join(", ")}; ${report.openIncidents} open`;
