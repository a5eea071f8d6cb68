/** What a scene plays on: a mesh in namespaces, a transcript, and checks that are counted. */
import type { Notification } from "../src/core/notification.ts";
import { machineMs, sleep, until } from "./driver/clock.ts";
import type { Action, Mesh, Notice, PolicyBlock } from "./driver/mesh.ts";
import { messageIn, subjectNames } from "./driver/message.ts";
import type { NamespaceNetwork } from "./driver/namespaces.ts";

/** One line of a transcript; times count from the moment the mesh was settled. */
export type Line =
  | { readonly kind: "note"; readonly atMs: number; readonly text: string }
  | { readonly kind: "action"; readonly atMs: number; readonly action: string; readonly node: string }
  | {
      readonly kind: "verdict";
      readonly atMs: number;
      readonly observer: string;
      readonly subject: string;
      readonly from: string;
      readonly to: string;
      readonly why: string;
    }
  | {
      readonly kind: "message";
      readonly atMs: number;
      readonly message: Notification;
      /** It has arrived before, under the same id. */
      readonly again: boolean;
    }
  | {
      readonly kind: "check";
      readonly atMs: number;
      readonly text: string;
      readonly ok: boolean;
      readonly found: string;
    };

export interface Scene {
  readonly name: string;
  readonly summary: string;
  /** `full`: the sizes that the full form plays one after the other; default: the usual one. */
  readonly nodes: { readonly usual: number; readonly min: number; readonly full?: readonly number[] };
  /** What the scene needs to be other than the product's default. */
  readonly policy?: PolicyBlock;
  /** The same for the short form; default: `policy`. */
  readonly shortPolicy?: PolicyBlock;
  /** How long the receiver may take to answer, as docs/configuration.md has it. */
  readonly channelTimeout?: string;
  /** Networks that all nodes share. Default: 1. */
  readonly networks?: 2;
  /** It takes all of the machine, or judges how fast something was: nothing else may be played meanwhile. */
  readonly alone?: true;
  play(stage: Stage): Promise<void>;
}

export type MessageState = Notification["state"];

/** A message as it arrived. */
export interface Told {
  readonly atMs: number;
  readonly message: Notification;
}

export interface VerdictChange {
  readonly atMs: number;
  readonly observer: string;
  readonly subject: string;
  readonly to: string;
}

export const DOWN_VERDICTS: ReadonlySet<string> = new Set(["host-down", "unreachable", "daemon-down"]);

export class Stage {
  readonly mesh: Mesh;
  readonly network: NamespaceNetwork;
  /** The shorter form, for `npm test`. */
  readonly short: boolean;
  readonly told: Told[] = [];
  readonly verdicts: VerdictChange[] = [];
  readonly #zeroMs = machineMs();
  readonly #emit: (line: Line) => void;
  #failures = 0;

  constructor(mesh: Mesh, network: NamespaceNetwork, short: boolean, emit: (line: Line) => void) {
    this.mesh = mesh;
    this.network = network;
    this.short = short;
    this.#emit = emit;
    mesh.listen((notice) => this.#noticed(notice));
    mesh.receiver.listen((delivery) => {
      const message = messageIn(delivery);
      if (message === undefined) return;
      const atMs = this.#at(delivery.atMs);
      const again = this.told.some((earlier) => earlier.message.id === message.id);
      this.told.push({ atMs, message });
      emit({ kind: "message", atMs, message, again });
    });
  }

  #at(machine: number): number {
    return Math.round((machine - this.#zeroMs) * 10) / 10;
  }

  get nowMs(): number {
    return this.#at(machineMs());
  }

  get names(): readonly string[] {
    return this.mesh.names;
  }

  /** Neither the keymaster nor the last: nobody special. */
  get victim(): string {
    return this.names[Math.floor(this.names.length / 2)] ?? "";
  }

  others(...without: readonly string[]): readonly string[] {
    return this.names.filter((name) => !without.includes(name));
  }

  place(name: string): number {
    return this.names.indexOf(name);
  }

  #noticed({ atMs, observer, event }: Notice): void {
    if (event.event !== "verdict") return;
    const {
      name: subject,
      from,
      to,
      why,
    } = event as unknown as Record<"name" | "from" | "to" | "why", string>;
    const line = { atMs: this.#at(atMs), observer, subject, from, to, why };
    this.verdicts.push(line);
    this.#emit({ kind: "verdict", ...line });
  }

  note(text: string): void {
    this.#emit({ kind: "note", atMs: this.nowMs, text });
  }

  /** Does it and gives the time at which it was begun, on the transcript's clock. */
  async act(action: Action, node: string): Promise<number> {
    const atMs = this.nowMs;
    this.#emit({ kind: "action", atMs, action, node });
    await this.mesh.perform(action, node);
    return atMs;
  }

  /** Lets time pass in which nothing, or nothing more, should happen. */
  quiet(lengthMs: number): Promise<void> {
    return sleep(lengthMs);
  }

  check(text: string, ok: boolean, found = ""): void {
    if (!ok) this.#failures += 1;
    this.#emit({ kind: "check", atMs: this.nowMs, text, ok, found });
  }

  get passed(): boolean {
    return this.#failures === 0;
  }

  /** The first message of this state about this node after `sinceMs`; throws when none comes in time. */
  awaitMessage(state: MessageState, name: string, sinceMs: number, timeoutMs: number): Promise<Told> {
    return this.awaitTold(
      `a message "${state}" about ${name}`,
      sinceMs,
      timeoutMs,
      (message) => message.state === state && subjectNames(message).includes(name),
    );
  }

  /** The first message after `sinceMs` that is meant; throws when none comes in time. */
  awaitTold(
    what: string,
    sinceMs: number,
    timeoutMs: number,
    isMeant: (message: Notification) => boolean,
  ): Promise<Told> {
    return until(what, timeoutMs, () =>
      this.told.find(({ atMs, message }) => atMs >= sinceMs && isMeant(message)),
    );
  }

  awaitVerdict(
    observer: string,
    subject: string,
    to: string,
    sinceMs: number,
    timeoutMs: number,
  ): Promise<VerdictChange> {
    return until(`${observer} to hold ${subject} ${to}`, timeoutMs, () =>
      this.verdicts.find(
        (change) =>
          change.atMs >= sinceMs &&
          change.observer === observer &&
          change.subject === subject &&
          change.to === to,
      ),
    );
  }

  messages(state: MessageState, sinceMs = 0): readonly Told[] {
    return this.told.filter(({ atMs, message }) => message.state === state && atMs >= sinceMs);
  }

  /** Verdicts that somebody is down, other than those that had to be reached. */
  downVerdicts(expected: (change: VerdictChange) => boolean): readonly VerdictChange[] {
    return this.verdicts.filter((change) => DOWN_VERDICTS.has(change.to) && !expected(change));
  }
}
