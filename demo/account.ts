/** Keeps account of what was done to whom and whether a person was told. */
import type { Action } from "../lab/driver/mesh.ts";

interface Event {
  readonly node: string;
  readonly action: Action;
  readonly atMs: number;
  toldMs: number | null;
}

export interface Balance {
  /** Null when nothing of the kind was scripted. */
  readonly deathTold: boolean | null;
  readonly returnTold: boolean | null;
  /** From the first death to its message. */
  readonly deathMs: number | null;
  readonly deaths: readonly Readonly<Event>[];
  readonly returns: readonly Readonly<Event>[];
  /** Messages that opened or resolved something nobody had caused. */
  readonly unexpected: number;
  readonly ok: boolean;
}

const DEATHS: ReadonlySet<Action> = new Set(["kill", "freeze", "cut"]);
const RETURNS: ReadonlySet<Action> = new Set(["revive", "thaw", "restore"]);

export class Account {
  readonly #deaths: Event[] = [];
  readonly #returns: Event[] = [];
  readonly #dead = new Set<string>();
  readonly #last = new Map<string, number>();
  #unexpected = 0;

  /** A goodbye (`stop`) is no death, and to come back from one is no return: nothing is to be told. */
  performed(action: Action, node: string, atMs: number): void {
    this.#last.set(node, atMs);
    if (DEATHS.has(action) && !this.#dead.has(node)) {
      this.#dead.add(node);
      this.#deaths.push({ node, action, atMs, toldMs: null });
    } else if (RETURNS.has(action) && this.#dead.delete(node)) {
      this.#returns.push({ node, action, atMs, toldMs: null });
    }
  }

  /** Settles every death (or return) of these nodes that was still to be told. */
  told(state: "open" | "resolved", nodes: readonly string[], atMs: number): void {
    const owed = (state === "open" ? this.#deaths : this.#returns).filter(
      (event) => event.toldMs === null && nodes.includes(event.node) && event.atMs <= atMs,
    );
    if (owed.length === 0) this.#unexpected += 1;
    for (const event of owed) event.toldMs = Math.round((atMs - event.atMs) * 10) / 10;
  }

  /** How long ago one of these nodes was last touched; null when none was. */
  sinceAction(nodes: readonly string[], atMs: number): number | null {
    const touched = nodes.flatMap((node) => this.#last.get(node) ?? []);
    return touched.length === 0 ? null : atMs - Math.max(...touched);
  }

  balance(): Balance {
    const deathTold = allTold(this.#deaths);
    const returnTold = allTold(this.#returns);
    return {
      deathTold,
      returnTold,
      deathMs: this.#deaths[0]?.toldMs ?? null,
      deaths: this.#deaths,
      returns: this.#returns,
      unexpected: this.#unexpected,
      ok: deathTold !== false && returnTold !== false,
    };
  }
}

const allTold = (events: readonly Event[]): boolean | null =>
  events.length === 0 ? null : events.every((event) => event.toldMs !== null);
