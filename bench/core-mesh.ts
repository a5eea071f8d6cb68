/**
 * Many cores in one process, in virtual time: each decides as the daemon's does, every message is
 * encoded as it would be, and nothing else of a daemon is there.
 */
import type { Effect, Env, RosterView, SingleInput } from "../src/core/io.ts";
import type { Envelope, Plane } from "../src/core/messages.ts";
import { init, type NodeState, nextWakeAt, step } from "../src/core/node.ts";
import type { Reading } from "../src/core/thermal/reading.ts";
import { DEFAULT_POLICY, type NodeId, type Policy } from "../src/core/types.ts";
import { readingsView } from "../src/core/view-of-readings.ts";
import { sha256Hex } from "../src/kit/hash.ts";
import { type Random, seededRandom } from "../src/kit/random.ts";
import { instant, ms, wallTime } from "../src/kit/time.ts";
import type { SampleBatch } from "../src/ports/history.ts";
import { encodeEnvelope } from "../src/wire/envelope.ts";
import { Timeline } from "../test/sim/timeline.ts";
import { PERIOD_MS, sensorWeather } from "./sensor-weather.ts";

const MESH = "5eed5eed-0000-4000-8000-000000000000";
const WALL_ORIGIN = 1_767_225_600_000;
const CLOCKS_WITHIN = 50;
const LEG_MIN = 0.2;
const LEG_SPREAD = 0.6;
const HANDSHAKE = 3;
const DISK = 1;
const CHANNEL_TAKES = 30;
const STARTS_WITHIN = 1000;
/** A roster's text for each member, as `wire/roster.ts` writes it: ids, name, address, pin, times. */
const ROSTER_CHARS_A_MEMBER = 330;

/** What a message weighs besides its text: the datagram's own frame, UDP and IPv4; the stream's frame, TLS, TCP and IPv4. */
const OVERHEAD: Readonly<Record<Plane, number>> = { datagram: 33 + 28, stream: 5 + 22 + 40 };

export type Purpose = "watching" | "ledger" | "roster" | "readings" | "other";
export interface Traffic {
  messages: number;
  bytes: number;
}

const PURPOSES: Readonly<Record<string, Purpose>> = {
  beat: "watching",
  ask: "watching",
  answer: "watching",
  ledger: "ledger",
  "ledger-summary": "ledger",
  ack: "ledger",
  roster: "roster",
  "roster-want": "roster",
  readings: "readings",
  "readings-table": "readings",
  "readings-want": "readings",
  "readings-held": "readings",
};

interface Node {
  readonly index: number;
  readonly id: NodeId;
  readonly random: Random;
  readonly clock: number;
  state: NodeState | undefined;
  wakeAt: number | undefined;
  readonly sessions: Map<NodeId, string>;
}

export class CoreMesh {
  readonly timeline: Timeline = new Timeline();
  readonly traffic: ReadonlyMap<Purpose, Traffic> = new Map(
    (["watching", "ledger", "roster", "readings", "other"] as const).map((purpose) => [
      purpose,
      { messages: 0, bytes: 0 },
    ]),
  );
  steps = 0;
  /** Milliseconds of this machine spent in the cores. */
  stepping = 0;
  /** When a message for people was accepted, and its title. */
  readonly told: { readonly at: number; readonly title: string }[] = [];
  readonly #nodes: readonly Node[];
  readonly #byId: ReadonlyMap<NodeId, Node>;
  readonly #random = seededRandom(1);
  #roster: RosterView;
  #sessions = 0;

  constructor(size: number) {
    this.#nodes = Array.from({ length: size }, (_, index) => this.#makeNode(index));
    this.#byId = new Map(this.#nodes.map((node) => [node.id, node]));
    this.#roster = rosterOf(this.#nodes, 1);
    for (const node of this.#nodes)
      this.timeline.schedule(this.#random.next() * STARTS_WITHIN, () => this.#start(node));
  }

  #makeNode(index: number): Node {
    return {
      index,
      id: idOf(index),
      random: seededRandom(index + 1),
      clock: (this.#random.next() - 0.5) * CLOCKS_WITHIN,
      state: undefined,
      wakeAt: undefined,
      sessions: new Map(),
    };
  }

  async pass(length: number): Promise<void> {
    await this.timeline.runUntil(this.timeline.now + length);
  }

  /** Forgets what was measured so far. */
  reset(): void {
    for (const traffic of this.traffic.values()) Object.assign(traffic, { messages: 0, bytes: 0 });
    this.steps = 0;
    this.stepping = 0;
  }

  of(purpose: Purpose): Traffic {
    return this.traffic.get(purpose) ?? { messages: 0, bytes: 0 };
  }

  /** Sessions that stand, counted once a pair. */
  get sessions(): number {
    return this.#nodes.reduce((sum, node) => sum + node.sessions.size, 0) / 2;
  }

  /** Its power is gone. */
  end(index: number): void {
    const node = this.#nodes[index];
    if (node === undefined) return;
    node.state = undefined;
    for (const peer of node.sessions.keys()) this.#byId.get(peer)?.sessions.delete(node.id);
    node.sessions.clear();
  }

  /** The keymaster signs another roster of the same members. */
  renewRoster(): void {
    this.#roster = rosterOf(this.#nodes, this.#roster.epoch + 1);
    const [keymaster] = this.#nodes;
    if (keymaster !== undefined) this.#give(keymaster, { type: "roster", roster: this.#roster });
  }

  /** From now on every node reads its forty sensors, each at its own moments. */
  sense(): void {
    for (const node of this.#nodes) {
      const weather = sensorWeather(node.index, WALL_ORIGIN, Number.POSITIVE_INFINITY);
      const known = new Set<string>();
      const pass = (): void => {
        const { value: batch } = weather.next();
        if (batch !== undefined) this.#give(node, { type: "readings", readings: readingsOf(batch, known) });
        this.timeline.in(PERIOD_MS, pass);
      };
      this.timeline.in(this.#random.next() * PERIOD_MS, pass);
    }
  }

  /** Of what all nodes know of all hosts' sensors; unknown counts as endless. */
  readingsAge(): { mean: number; max: number } {
    const ages = this.#nodes.flatMap((node) =>
      node.state === undefined
        ? []
        : readingsView(node.state, this.#env(node)).map(({ age = Number.POSITIVE_INFINITY }) => age / 1000),
    );
    return { mean: ages.reduce((sum, age) => sum + age, 0) / ages.length, max: Math.max(...ages) };
  }

  /** How many living nodes fulfil it. */
  count(holds: (state: NodeState) => boolean): number {
    return this.#nodes.filter(({ state }) => state !== undefined && holds(state)).length;
  }

  /** Living nodes that hold the newest roster. */
  get informed(): number {
    return this.count(({ roster }) => roster.epoch === this.#roster.epoch);
  }

  #env(node: Node): Env {
    const { now } = this.timeline;
    return {
      now: instant(now),
      wall: wallTime(Math.floor(WALL_ORIGIN + now + node.clock)),
      random: node.random,
    };
  }

  #start(node: Node): void {
    const birth = {
      self: node.id,
      boot: `boot ${node.index}`,
      period: ms(200),
      roster: this.#roster,
      channels: [{ name: "phone", type: "webhook" }],
      heartbeats: [],
      policy: POLICY,
      stored: [],
    };
    const first = init(birth, this.#env(node));
    node.state = first.state;
    this.#perform(node, first.effects);
    this.#arm(node);
  }

  #give(node: Node, input: SingleInput): void {
    if (node.state === undefined) return;
    const env = this.#env(node);
    const begun = performance.now();
    const { state, effects } = step(node.state, input, env);
    this.stepping += performance.now() - begun;
    this.steps += 1;
    node.state = state;
    this.#perform(node, effects);
    this.#arm(node);
  }

  /** One timer, moved only when an earlier deadline appears. */
  #arm(node: Node): void {
    if (node.state === undefined) return;
    const due = nextWakeAt(node.state);
    if (due === undefined || (node.wakeAt !== undefined && node.wakeAt <= due)) return;
    node.wakeAt = due;
    this.timeline.schedule(due, () => {
      if (node.wakeAt !== due) return;
      node.wakeAt = undefined;
      this.#give(node, { type: "wake" });
    });
  }

  #perform(node: Node, effects: readonly Effect[]): void {
    for (const effect of effects) this.#performOne(node, effect);
  }

  #performOne(node: Node, effect: Effect): void {
    switch (effect.type) {
      case "send":
        this.#send(node, effect.to, effect.plane, effect.envelope);
        return;
      case "persist":
        this.timeline.in(DISK, () => this.#perform(node, effect.afterwards));
        return;
      case "dial":
        this.timeline.in(HANDSHAKE, () => this.#connect(node, effect.peer));
        return;
      case "probe": {
        const { subject, address, patience } = effect;
        const lives = this.#byId.get(subject)?.state !== undefined;
        this.timeline.in(lives ? 1 : patience, () =>
          this.#give(node, { type: "probed", subject, address, outcome: lives ? "accepted" : "silent" }),
        );
        return;
      }
      case "look-at-uplink":
        this.timeline.in(1, () => this.#give(node, { type: "uplink", uplink: { up: true, detail: "eth0" } }));
        return;
      case "deliver":
        this.#deliver(node, effect);
        return;
      case "consider-roster":
        if (effect.signed === this.#roster.signed && node.state?.roster.epoch !== this.#roster.epoch)
          this.timeline.in(1, () => this.#give(node, { type: "roster", roster: this.#roster }));
        return;
      default:
        return;
    }
  }

  #deliver(node: Node, effect: Extract<Effect, { type: "deliver" }>): void {
    const { delivery, channel, notification } = effect;
    this.timeline.in(CHANNEL_TAKES, () => {
      if (channel === "phone") this.told.push({ at: this.timeline.now, title: notification.title });
      const result = { outcome: "delivered", detail: "taken" } as const;
      this.#give(node, { type: "delivery", delivery, channel, result });
    });
  }

  #connect(node: Node, to: NodeId): void {
    const peer = this.#byId.get(to);
    if (peer?.state === undefined || node.state === undefined || node.sessions.has(to)) return;
    this.#sessions += 1;
    const session = `s${this.#sessions}`;
    for (const [end, other] of [
      [node, peer],
      [peer, node],
    ] as const) {
      end.sessions.set(other.id, session);
      this.#give(end, {
        type: "session-up",
        peer: other.id,
        session,
        address: addressOf(other.index),
        certificateExpires: wallTime(WALL_ORIGIN + 30 * 86_400_000),
        certificateFlagged: false,
      });
    }
  }

  #send(node: Node, to: NodeId, plane: Plane, envelope: Envelope): void {
    const session = node.sessions.get(to);
    const traffic = this.traffic.get(PURPOSES[envelope.message.t] ?? "other");
    if (session === undefined && this.#byId.get(to)?.state !== undefined) return;
    if (traffic !== undefined) {
      traffic.messages += 1;
      traffic.bytes += Buffer.byteLength(encodeEnvelope(envelope)) + OVERHEAD[plane];
    }
    const peer = this.#byId.get(to);
    if (peer === undefined || session === undefined) return;
    this.timeline.in(LEG_MIN + LEG_SPREAD * this.#random.next(), () => {
      if (peer.sessions.get(node.id) !== session) return;
      this.#give(peer, { type: "received", peer: node.id, session, plane, envelope });
    });
  }
}

/** The weather gets warm at times: that is not what is measured. */
const POLICY: Policy = { ...DEFAULT_POLICY, heat: { unwatched: [], rules: [{ ignore: true }] } };

/** A sensor that is silent for a while is still there. */
function readingsOf({ samples }: SampleBatch, known: Set<string>): Reading[] {
  const values = new Map(samples.map(({ sensor, value }) => [sensor, value]));
  for (const sensor of values.keys()) known.add(sensor);
  return [...known].map((sensor) => {
    const [, part = "", number = ""] = sensor.split("/");
    const value = values.get(sensor) ?? null;
    const validity = value === null ? "unreadable" : "ok";
    const [kind, unit] = KINDS[part] ?? (["board", "celsius"] as const);
    const common = { validity, limits: {}, alarm: false, at: wallTime(WALL_ORIGIN), spot: false } as const;
    return {
      ...common,
      id: `platform/chip.656/${part}${number}`,
      name: `${part} ${number}`,
      kind,
      unit,
      value,
      driver: "chip",
      label: part,
    };
  });
}

const KINDS: Readonly<Record<string, readonly [Reading["kind"], Reading["unit"]]>> = {
  core: ["cpu-core", "celsius"],
  package: ["cpu-package", "celsius"],
  tctl: ["cpu-package", "celsius"],
  nvme: ["nvme", "celsius"],
  fan: ["fan", "rpm"],
  voltage: ["voltage", "volt"],
  power: ["power", "watt"],
};

/** As uuids are, spread over the whole range. */
function idOf(index: number): NodeId {
  const hex = sha256Hex(`node ${index}`);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const addressOf = (index: number): string => `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}:7654`;

const rosterOf = (nodes: readonly Node[], epoch: number): RosterView => ({
  mesh: MESH,
  generation: 1,
  term: 1,
  opener: "of-pve-1",
  epoch,
  keymaster: nodes[0]?.id ?? "",
  members: nodes.map(({ id, index }) => ({ id, name: `pve${index + 1}`, addresses: [addressOf(index)] })),
  signed: String(epoch).padEnd(nodes.length * ROSTER_CHARS_A_MEMBER, "."),
});
