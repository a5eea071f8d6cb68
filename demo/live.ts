/** The demonstration for a person at a terminal: a view that renews itself, and one key for each thing to do. */
import { atEnd } from "../lab/driver/cleanup.ts";
import { sleep } from "../lab/driver/clock.ts";
import type { Daemon } from "../lab/driver/daemon.ts";
import type { Action } from "../lab/driver/mesh.ts";
import { type CellView, drawScreen, type ScreenModel } from "./screen.ts";
import type { DemoEvent, Stage } from "./stage.ts";
import { actionText, logLine, type Tone } from "./wording.ts";

const ASK_EVERY_MS = 400;
const DRAW_EVERY_MS = 100;
const LOG_LINES_MAX = 200;
/** xterm control sequences: alternate screen, cursor, home, erase to the end of line and of screen. */
const ENTER_SCREEN = "\u001b[?1049h\u001b[?25l";
const LEAVE_SCREEN = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const ERASE_LINE = "\u001b[K";
const ERASE_BELOW = "\u001b[J";
const CTRL_C = "\u0003";

const KEYS = "1 2 3 node · k kill -9 · s stop · f freeze/thaw · r revive · l cut/plug link · q quit";

export async function playLive(stage: Stage, netns: boolean, colour: boolean): Promise<void> {
  const view = new LiveView(stage, netns, colour);
  await view.play();
}

class LiveView {
  readonly #stage: Stage;
  readonly #notes: readonly string[];
  readonly #keys: string;
  readonly #colour: boolean;
  readonly #netns: boolean;
  readonly #log: { atMs: number; who: string; text: string; tone: Tone }[] = [];
  readonly #sees = new Map<string, ReadonlyMap<string, CellView>>();
  #selected: string;
  #quit = false;

  constructor(stage: Stage, netns: boolean, colour: boolean) {
    this.#stage = stage;
    this.#netns = netns;
    this.#colour = colour;
    this.#selected = stage.mesh.names[1] ?? "";
    this.#keys = netns ? KEYS : KEYS.replace(" · l cut/plug link", "");
    this.#notes = [
      netns
        ? "Each in a network namespace of its own, on one bridge: cut a link (l), a host is down."
        : "On loopback the kernel answers for a killed daemon: it is daemon-down, not host-down.",
      "A person is told at once here; a real mesh gives systemd 15 s to restart it first.",
    ];
  }

  async play(): Promise<void> {
    const leave = this.#takeTerminal();
    this.#stage.tell((event) => this.#note(event));
    const asking = this.#keepAsking();
    while (!this.#quit) {
      this.#draw();
      await sleep(DRAW_EVERY_MS);
    }
    leave();
    await asking;
  }

  #takeTerminal(): () => void {
    const { stdin, stdout } = process;
    stdout.write(ENTER_SCREEN);
    stdin.setRawMode(true).setEncoding("utf8").resume();
    const onKeys = (keys: string): void => {
      for (const key of keys) this.#key(key);
    };
    stdin.on("data", onKeys);
    return atEnd(() => {
      stdin.off("data", onKeys).setRawMode(false).pause();
      stdout.write(LEAVE_SCREEN);
    });
  }

  /** A frozen or dead node cannot be asked; its row stays empty. */
  async #keepAsking(): Promise<void> {
    while (!this.#quit) {
      await Promise.all(this.#stage.mesh.daemons.map((daemon) => this.#ask(daemon)));
      await sleep(ASK_EVERY_MS);
    }
  }

  async #ask(daemon: Daemon): Promise<void> {
    if (daemon.state !== "running") {
      this.#sees.delete(daemon.name);
      return;
    }
    try {
      const { nodes } = await daemon.status();
      this.#sees.set(daemon.name, new Map(nodes.map((node) => [node.name, node])));
    } catch {
      this.#sees.delete(daemon.name);
    }
  }

  #key(key: string): void {
    const { names } = this.#stage.mesh;
    const chosen = names.includes(key) ? key : names[Number(key) - 1];
    if (chosen !== undefined) this.#selected = chosen;
    else if (key === "q" || key === CTRL_C) this.#quit = true;
    else {
      const action = this.#actionFor(key);
      if (action !== undefined) void this.#perform(action, this.#selected);
    }
  }

  #actionFor(key: string): Action | undefined {
    const { state } = this.#stage.mesh.daemon(this.#selected);
    switch (key) {
      case "k":
        return state === "off" ? undefined : "kill";
      case "s":
        return state === "running" ? "stop" : undefined;
      case "f":
        return state === "off" ? undefined : state === "frozen" ? "thaw" : "freeze";
      case "r":
        return state === "off" ? "revive" : state === "frozen" ? "thaw" : undefined;
      case "l":
        if (!this.#netns) return undefined;
        return this.#stage.mesh.isCutOff(this.#selected) ? "restore" : "cut";
      default:
        return undefined;
    }
  }

  async #perform(action: Action, node: string): Promise<void> {
    try {
      await this.#stage.perform(action, node);
    } catch (error) {
      const text = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      this.#add({ atMs: this.#stage.nowMs, who: "you", text, tone: "bad" });
    }
  }

  #note(event: DemoEvent): void {
    if (event.event === "action") {
      this.#add({ atMs: event.atMs, who: "you", text: actionText(event.action, event.node), tone: "plain" });
    } else if (event.event === "verdict" || event.event === "message") {
      this.#add({ atMs: event.atMs, ...logLine(event) });
    }
  }

  #add(entry: { atMs: number; who: string; text: string; tone: Tone }): void {
    this.#log.push(entry);
    if (this.#log.length > LOG_LINES_MAX) this.#log.shift();
  }

  #draw(): void {
    const { columns = 80, rows = 24 } = process.stdout;
    const lines = drawScreen(this.#model(), { columns, rows, colour: this.#colour });
    process.stdout.write(`${HOME}${lines.map((line) => line + ERASE_LINE).join("\r\n")}${ERASE_BELOW}`);
  }

  #model(): ScreenModel {
    const { mesh } = this.#stage;
    return {
      elapsedMs: this.#stage.nowMs,
      notes: this.#notes,
      keys: this.#keys,
      log: this.#log,
      nodes: mesh.daemons.map((daemon) => ({
        name: daemon.name,
        address: daemon.address,
        selected: daemon.name === this.#selected,
        condition: `${daemon.state}${mesh.isCutOff(daemon.name) ? ", cut off" : ""}`,
        sees: this.#sees.get(daemon.name) ?? new Map(),
      })),
    };
  }
}
