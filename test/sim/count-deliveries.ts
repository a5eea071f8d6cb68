/** Counts what a person was told of each death: nothing may be lost, and what is said twice has its reason. */
import type { IncidentId } from "../../src/core/types.ts";
import type { Arrival } from "./receiver.ts";
import { type Death, TROUBLES, type Trouble } from "./schedule-deliveries.ts";
import type { World } from "./world.ts";

export interface DeliveryReport {
  /** Deaths, each of which owes its beginning and its end. */
  readonly incidents: number;
  /** Messages that arrived, whatever they were about. */
  readonly messages: number;
  /** Senders killed between sending and receipt. */
  readonly kills: number;
  /** Beginnings and ends that nobody was told. */
  readonly lost: number;
  /** Messages about them that arrived again, by the trouble that was on the way. */
  readonly duplicates: Readonly<Partial<Record<Trouble, number>>>;
  /** Beginnings and ends told under more than one id: a receiver that takes a key shows them twice as well. */
  readonly keyedDuplicates: number;
  /** What must not be, in words. */
  readonly complaints: readonly string[];
}

/** What arrived of one death's beginning, or of its end. */
interface Told {
  readonly death: Death;
  readonly phase: "open" | "resolved";
  readonly ids: string[];
}

export class DeliveryCount {
  readonly #world: World;
  readonly #told: readonly Told[];
  readonly #duplicates: Partial<Record<Trouble, number>> = {};
  readonly #ids = new Set<string>();
  /** The death that an incident is about. */
  readonly #deaths = new Map<IncidentId, Death>();

  constructor(world: World, deaths: readonly Death[]) {
    this.#world = world;
    this.#told = deaths.flatMap((death) =>
      (["open", "resolved"] as const).map((phase) => ({ death, phase, ids: [] })),
    );
    world.receiver.onArrival.push((arrival) => this.#onArrival(arrival));
  }

  #onArrival({ at, notification }: Arrival): void {
    const { state, subjects, id } = notification;
    const troubles = new Set<Trouble>();
    for (const { id: subject, kind, incident } of subjects) {
      if (kind !== "down") continue;
      const host = this.#world.hosts.findIndex((each) => each.id === subject);
      const death = this.#deaths.get(incident) ?? this.#lastDeathOf(host, at);
      if (death === undefined) continue;
      this.#deaths.set(incident, death);
      troubles.add(death.trouble);
      this.#told.find((told) => told.death === death && told.phase === state)?.ids.push(id);
    }
    this.#noteMessage(id, troubles);
  }

  #noteMessage(id: string, troubles: ReadonlySet<Trouble>): void {
    const [trouble] = troubles;
    if (trouble === undefined) return;
    if (this.#ids.has(id)) this.#duplicates[trouble] = (this.#duplicates[trouble] ?? 0) + 1;
    this.#ids.add(id);
  }

  /** What an incident is about that was not told before. */
  #lastDeathOf(host: number, at: number): Death | undefined {
    return this.#told.findLast(({ death }) => death.host === host && death.at <= at)?.death;
  }

  report(): DeliveryReport {
    const { kills } = this.#world.ambush;
    const lost = this.#told.filter(({ ids }) => ids.length === 0);
    const duplicates = this.#duplicates;
    const keyedDuplicates = this.#told.reduce((sum, { ids }) => sum + Math.max(0, new Set(ids).size - 1), 0);
    return {
      incidents: this.#told.length / 2,
      messages: this.#world.receiver.arrivals.length,
      kills,
      lost: lost.length,
      duplicates,
      keyedDuplicates,
      complaints: [
        ...lost.map((told) => this.#complaint(told, "was told to nobody")),
        ...this.#repeated(),
        ...((duplicates.killed ?? 0) > kills
          ? [`${duplicates.killed} messages again for ${kills} kills`]
          : []),
      ],
    };
  }

  /** One kill, one repetition, of whatever that message told. */
  #repeated(): string[] {
    return this.#told.flatMap((told) => {
      const { ids, death } = told;
      const distinct = new Set(ids).size;
      if (distinct > 1) return [this.#complaint(told, `was told under ${distinct} ids`)];
      const allowed = death.trouble === "swallowing" ? ids.length : death.trouble === "killed" ? 2 : 1;
      return ids.length > allowed ? [this.#complaint(told, `was told ${ids.length} times`)] : [];
    });
  }

  #complaint({ death, phase }: Told, what: string): string {
    const name = this.#world.names[death.host] ?? "?";
    const which = phase === "open" ? "death" : "return";
    return `the ${which} of ${name} at ${Math.round(death.at)} ms, receiver and senders: ${death.trouble}, ${what}`;
  }
}

/** Of several runs. */
export function sumOf(before: DeliveryReport | undefined, next: DeliveryReport): DeliveryReport {
  if (before === undefined) return next;
  const duplicates = { ...before.duplicates };
  for (const trouble of TROUBLES) {
    const again = next.duplicates[trouble];
    if (again !== undefined) duplicates[trouble] = (duplicates[trouble] ?? 0) + again;
  }
  return {
    incidents: before.incidents + next.incidents,
    messages: before.messages + next.messages,
    kills: before.kills + next.kills,
    lost: before.lost + next.lost,
    duplicates,
    keyedDuplicates: before.keyedDuplicates + next.keyedDuplicates,
    complaints: [...before.complaints, ...next.complaints],
  };
}
