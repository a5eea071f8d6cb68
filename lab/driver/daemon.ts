/** One real daemon: its folder, its process, its control socket. Driven from outside, through the command line. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StatusReport, WatchEvent } from "../../src/wire/rpc.ts";
import { boundToUs, cleanEnvironment, ended, runOrThrow } from "./child.ts";
import { atEnd } from "./cleanup.ts";
import { until, within } from "./clock.ts";
import { type Control, openControl } from "./control.ts";

/** Generous: many start at once on few cores. */
const COMMAND_MS_MAX = 90_000;
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 10_000;
const LOG_CHARS_SHOWN = 2_000;

export type DaemonState = "off" | "running" | "frozen";

export interface DaemonPlan {
  readonly name: string;
  /** `IP:PORT` of the mesh port, on each network the node is in. */
  readonly addresses: readonly string[];
  readonly folder: string;
  /** How balefire is started: the executable and its first arguments. */
  readonly balefire: readonly string[];
  /** Text of its config.yaml. */
  readonly config: string;
  readonly inside: (argv: readonly string[]) => readonly string[];
}

export class Daemon {
  readonly name: string;
  /** The first of its addresses. */
  readonly address: string;
  state: DaemonState = "off";
  /** Its id in the mesh; known once it has run. */
  id = "";
  readonly #plan: DaemonPlan;
  readonly #env: NodeJS.ProcessEnv;
  readonly #socket: string;
  readonly #log: string;
  #child: ChildProcess | undefined;
  #forget: (() => void) | undefined;
  #control: Control | undefined;
  #listener: (event: WatchEvent) => void = () => {};

  constructor(plan: DaemonPlan) {
    this.#plan = plan;
    this.name = plan.name;
    this.address = plan.addresses[0] ?? "";
    mkdirSync(plan.folder, { mode: 0o700 });
    const config = join(plan.folder, "config.yaml");
    writeFileSync(config, plan.config, { mode: 0o600 });
    this.#socket = join(plan.folder, "control.sock");
    this.#log = join(plan.folder, "run.log");
    this.#env = cleanEnvironment({
      BALEFIRE_STATE_DIR: this.stateFolder,
      BALEFIRE_CONFIG: config,
      BALEFIRE_SOCKET: this.#socket,
    });
  }

  /** Where its state, configuration and control socket lie. */
  get folder(): string {
    return this.#plan.folder;
  }

  get stateFolder(): string {
    return join(this.#plan.folder, "state");
  }

  get addresses(): readonly string[] {
    return this.#plan.addresses;
  }

  /** The environment its operator's commands run in. */
  get env(): NodeJS.ProcessEnv {
    return this.#env;
  }

  get addressFlags(): readonly string[] {
    return this.#plan.addresses.flatMap((address) => ["--address", address]);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Every notice of this daemon from now on; one listener, kept across restarts. */
  onNotice(listener: (event: WatchEvent) => void): void {
    this.#listener = listener;
  }

  /** Runs one verb of the command line as this node's operator, and gives what it printed. */
  cli(...words: string[]): Promise<string> {
    const argv = this.#plan.inside([...this.#plan.balefire, ...words]);
    return runOrThrow(argv, { env: this.#env, timeoutMs: COMMAND_MS_MAX });
  }

  /** Starts `balefire run`, with more in its environment where given, and resolves when it answers on its control socket. */
  async run(env: NodeJS.ProcessEnv = {}): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.name} is running`);
    const log = openSync(this.#log, "a", 0o600);
    const [command = "", ...args] = boundToUs(this.#plan.inside([...this.#plan.balefire, "run"]));
    const child = spawn(command, args, { stdio: ["ignore", log, log], env: { ...this.#env, ...env } });
    closeSync(log);
    this.#child = child;
    this.#forget = atEnd(() => child.kill("SIGKILL"));
    child.once("exit", () => this.#ended(child));
    const control = await until(`${this.name} to start`, START_MS_MAX, () => this.#tryControl(child));
    control.watch((event) => this.#listener(event));
    this.#control = control;
    this.id = (await control.call("status", {})).self;
    this.state = "running";
  }

  async #tryControl(child: ChildProcess): Promise<Control | undefined> {
    if (this.#child !== child) throw new Error(`${this.name} ended while starting:\n${this.logTail()}`);
    try {
      return await openControl(this.#socket);
    } catch {
      return undefined;
    }
  }

  #ended(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#forget?.();
    this.#control?.close();
    this.#child = undefined;
    this.#control = undefined;
    this.state = "off";
  }

  /** What this node sees. Rejects while it is off or frozen. */
  status(): Promise<StatusReport> {
    return this.control.call("status", {});
  }

  get control(): Control {
    if (this.#control === undefined) throw new Error(`${this.name} is not running`);
    return this.#control;
  }

  /** SIGKILL: no goodbye. */
  kill(): Promise<void> {
    return this.#endWith("SIGKILL", STOP_MS_MAX);
  }

  /** SIGTERM: it says goodbye. */
  stop(): Promise<void> {
    return this.#endWith("SIGTERM", STOP_MS_MAX);
  }

  async #endWith(signal: NodeJS.Signals, timeoutMs: number): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill(signal);
    await within(`${this.name} to end after ${signal}`, timeoutMs, ended(child));
  }

  freeze(): void {
    if (this.state !== "running") throw new Error(`${this.name} is not running`);
    this.#child?.kill("SIGSTOP");
    this.state = "frozen";
  }

  thaw(): void {
    if (this.state !== "frozen") throw new Error(`${this.name} is not frozen`);
    this.#child?.kill("SIGCONT");
    this.state = "running";
  }

  /** The end of what the daemon wrote, for error messages. */
  logTail(): string {
    try {
      return readFileSync(this.#log, "utf8").slice(-LOG_CHARS_SHOWN);
    } catch {
      return "";
    }
  }
}
