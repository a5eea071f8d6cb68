/**
 * A rehearsal. What decides about a death is code that a daemon may never have run when the first host dies, and
 * code is compiled when it is first called: where processor time is short, that is when a person waits for it.
 * So at its start a daemon plays a death and a return among imaginary hosts, with the very core and codecs.
 */
import type { Effect, Env, RosterView, SingleInput } from "../core/io.ts";
import { init, type NodeState, nextWakeAt, step } from "../core/node.ts";
import type { Notification } from "../core/notification.ts";
import { type Address, DEFAULT_POLICY, type NodeId } from "../core/types.ts";
import { seededRandom } from "../kit/random.ts";
import { type Duration, type Instant, instant, ms, seconds, wallTime } from "../kit/time.ts";
import { decodeEnvelope, encodeEnvelope } from "../wire/envelope.ts";

const HOSTS = 3;
/** Who has just started waits before it tells; then it takes some beats, and a second for what is told. */
const DIES_AFTER: Duration = ms(3500);
const AWAY_BEATS = 5;
const BACK_BEATS = 8;
const TELLING: Duration = seconds(1);
/** One way, in milliseconds; what a disk or a receiver takes, too. */
const DELAY = 1;
/** Far from any real time. */
const WALL = 1_000_000_000_000;

const MESH = "00000000-0000-4000-8000-000000000000";
const idOf = (index: number): NodeId => `00000000-0000-4000-8000-00000000000${index + 1}`;
const IDS: readonly NodeId[] = Array.from({ length: HOSTS }, (_, index) => idOf(index));
const VICTIM = idOf(HOSTS - 1);

const ROSTER: RosterView = {
  mesh: MESH,
  generation: 1,
  term: 1,
  opener: "rehearse",
  epoch: 1,
  keymaster: idOf(0),
  members: IDS.map((id, index) => ({
    id,
    name: `rehearsal-${index + 1}`,
    addresses: [`192.0.2.${index + 1}:7654`],
  })),
  signed: "",
};

/** Plays it in virtual time; returns the messages that were sent, in order. `period`: between two beats. */
export function rehearse(period: Duration = ms(200)): readonly Notification[] {
  const stage = new Stage(period);
  for (const id of IDS) stage.start(id);
  stage.play(DIES_AFTER);
  stage.kill(VICTIM);
  stage.play(AWAY_BEATS * period + TELLING);
  stage.start(VICTIM);
  stage.play(BACK_BEATS * period + TELLING);
  return stage.told;
}

class Stage {
  readonly told: Notification[] = [];
  readonly #minds = new Map<NodeId, NodeState>();
  readonly #random = seededRandom(1);
  /** In the order in which it happens: all of it takes equally long. */
  readonly #coming: { readonly at: number; readonly happen: () => void }[] = [];
  readonly #period: Duration;
  #now = 0;
  #lives = 0;

  constructor(period: Duration) {
    this.#period = period;
  }

  start(id: NodeId): void {
    const { state, effects } = init(
      {
        self: id,
        boot: `boot-${this.#lives}`,
        period: this.#period,
        roster: ROSTER,
        channels: [{ name: "rehearsal", type: "webhook" }],
        heartbeats: [],
        policy: DEFAULT_POLICY,
        stored: [],
      },
      this.#env(),
    );
    this.#lives += 1;
    this.#minds.set(id, state);
    for (const effect of effects) this.#perform(id, effect);
    for (const other of this.#minds.keys()) if (other !== id) this.#connect(id, other);
  }

  /** Without a goodbye, and nothing of its kernel answers. */
  kill(id: NodeId): void {
    this.#minds.delete(id);
  }

  play(length: number): void {
    const end = this.#now + length;
    while (this.#now < end) {
      const next = this.#coming[0];
      let at = next?.at ?? end;
      for (const mind of this.#minds.values()) at = Math.min(at, nextWakeAt(mind) ?? end);
      this.#now = Math.max(this.#now, Math.min(at, end));
      if (next !== undefined && next.at <= this.#now) {
        this.#coming.shift();
        next.happen();
      }
      for (const [id, mind] of this.#minds)
        if ((nextWakeAt(mind) ?? end) <= this.#now) this.#give(id, { type: "wake" });
    }
  }

  #connect(one: NodeId, other: NodeId): void {
    const session = `session-${this.#lives}-${one}-${other}`;
    for (const [id, peer] of [
      [one, other],
      [other, one],
    ] as const) {
      const certificateExpires = wallTime(WALL + seconds(1_000_000));
      const address = addressOf(peer);
      this.#give(id, {
        type: "session-up",
        peer,
        session,
        address,
        certificateExpires,
        certificateFlagged: false,
      });
    }
  }

  #give(id: NodeId, input: SingleInput): void {
    const mind = this.#minds.get(id);
    if (mind === undefined) return;
    for (const effect of step(mind, input, this.#env()).effects) this.#perform(id, effect);
  }

  #perform(id: NodeId, effect: Effect): void {
    switch (effect.type) {
      case "send":
        this.#carry(id, effect);
        return;
      case "persist":
        for (const dependent of effect.afterwards) this.#perform(id, dependent);
        return;
      case "deliver": {
        const { delivery, channel, notification } = effect;
        if (channel === "rehearsal") this.told.push(notification);
        const result = { outcome: "delivered", detail: "rehearsed" } as const;
        this.#soon(() => this.#give(id, { type: "delivery", delivery, channel, result }));
        return;
      }
      case "probe": {
        const { subject, address } = effect;
        const outcome = this.#minds.has(subject) ? "accepted" : "silent";
        this.#soon(() => this.#give(id, { type: "probed", subject, address, outcome }));
        return;
      }
      case "look-at-uplink":
        this.#soon(() => this.#give(id, { type: "uplink", uplink: { up: true, detail: "rehearsed" } }));
        return;
      default:
    }
  }

  #carry(from: NodeId, { to, plane, envelope }: Extract<Effect, { type: "send" }>): void {
    const session = this.#minds.get(from)?.peers.get(to)?.session?.id ?? "";
    const text = encodeEnvelope(envelope);
    this.#soon(() => {
      const read = decodeEnvelope(text);
      if (read.ok && read.value !== "unknown-message")
        this.#give(to, { type: "received", peer: from, session, plane, envelope: read.value });
    });
  }

  #soon(happen: () => void): void {
    this.#coming.push({ at: this.#now + DELAY, happen });
  }

  #env(): Env {
    const now: Instant = instant(this.#now);
    return { now, wall: wallTime(WALL + this.#now), random: this.#random };
  }
}

const addressOf = (id: NodeId): Address =>
  ROSTER.members.find((member) => member.id === id)?.addresses[0] ?? "192.0.2.1:7654";
