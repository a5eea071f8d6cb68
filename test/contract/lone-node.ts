/** One core by itself, fed by hand: its peers are whatever a test says they say. */
import type {
  Birth,
  DeliveryOutcome,
  Effect,
  Env,
  Input,
  RosterView,
  SingleInput,
  Stored,
} from "../../src/core/io.ts";
import { resolutionOf } from "../../src/core/ledger.ts";
import type { IncidentKind, IncidentRecord } from "../../src/core/ledger-records.ts";
import type { Beat, PeerMessage } from "../../src/core/messages.ts";
import { init, type NodeState, nextWakeAt, step } from "../../src/core/node.ts";
import {
  type Address,
  DEFAULT_POLICY,
  type NodeId,
  type ProbeOutcome,
  type Uplink,
} from "../../src/core/types.ts";
import { meshView } from "../../src/core/view-of.ts";
import { seededRandom } from "../../src/kit/random.ts";
import { hours, instant, ms, wallTime } from "../../src/kit/time.ts";

export const MESH = "11111111-2222-4333-8444-555555555555";
export const START: number = 1_800_000_000_000;

const addressOf = (id: NodeId, network = 0): Address => `127.0.${network}.1:${7000 + id.charCodeAt(0)}`;
/** Each member has an address in each of so many networks. */
export const rosterOf = (ids: readonly NodeId[], networks = 1, epoch = 1): RosterView => ({
  mesh: MESH,
  generation: 1,
  term: 1,
  opener: "opener-a",
  epoch,
  keymaster: "a",
  members: ids.map((id) => ({
    id,
    name: id,
    addresses: Array.from({ length: networks }, (_, network) => addressOf(id, network)),
  })),
  signed: "signed",
});

export class LoneNode {
  now = 0;
  /** What the wall clock is off by. */
  wallStep = 0;
  readonly effects: Effect[] = [];
  /** By key, as a disk that never fails holds them. */
  readonly disk: Map<string, string>;
  state: NodeState;
  /** What a probe of an address shows. */
  probe: (address: Address) => ProbeOutcome = () => "silent";
  /** What a look at the uplink shows; undefined = it has yet to end. */
  uplink: Uplink | undefined = { up: true, detail: "eth0" };
  /** How deliveries and pings on a channel end; undefined = no outcome yet. */
  outcome: (channel: string) => DeliveryOutcome | undefined = () => ({ outcome: "delivered", detail: "ok" });
  readonly #random = seededRandom(1);
  readonly #seqs = new Map<NodeId, number>();
  #gathered: SingleInput[] | undefined;

  constructor(ids: readonly NodeId[], stored: readonly Stored[] = [], birth: Partial<Birth> = {}) {
    this.disk = new Map(stored.map(({ key, value }) => [key, value ?? ""]));
    const first = init(
      {
        self: ids[0] ?? "a",
        boot: "boot",
        period: ms(200),
        roster: rosterOf(ids),
        channels: [{ name: "phone", type: "webhook" }],
        heartbeats: [],
        policy: DEFAULT_POLICY,
        stored,
        ...birth,
      },
      this.env(),
    );
    this.state = first.state;
    this.#take(first.effects);
  }

  env(): Env {
    return {
      now: instant(this.now),
      wall: wallTime(START + this.now + this.wallStep),
      random: this.#random,
    };
  }

  /** Writes are done at once, and what waits for them follows. */
  #take(effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.type === "persist") {
        for (const { key, value } of effect.records) {
          if (value === undefined) this.disk.delete(key);
          else this.disk.set(key, value);
        }
        this.#take(effect.afterwards);
      } else if (effect.type === "deliver") {
        const { delivery, channel } = effect;
        const result = this.outcome(channel);
        if (result !== undefined) this.input({ type: "delivery", delivery, channel, result });
      } else if (effect.type === "ping") {
        const { heartbeat } = effect;
        const result = this.outcome(heartbeat);
        if (result !== undefined) this.input({ type: "pinged", heartbeat, result });
      } else if (effect.type === "look-at-uplink") {
        if (this.uplink !== undefined) this.input({ type: "uplink", uplink: this.uplink });
      } else if (effect.type === "probe") {
        this.input({
          type: "probed",
          subject: effect.subject,
          address: effect.address,
          outcome: this.probe(effect.address),
        });
      }
    }
  }

  input(input: SingleInput): void {
    if (this.#gathered === undefined) this.#step(input);
    else this.#gathered.push(input);
  }

  /** What is given to the node meanwhile, it takes in together. */
  gather(give: () => void): void {
    const inputs: SingleInput[] = [];
    this.#gathered = inputs;
    give();
    this.#gathered = undefined;
    this.#step({ type: "together", inputs });
  }

  #step(input: Input): void {
    const { state, effects } = step(this.state, input, this.env());
    this.state = state;
    this.#take(effects);
  }

  connect(peer: NodeId, network = 0): void {
    const certificateExpires = wallTime(START + hours(1000));
    this.input({
      type: "session-up",
      peer,
      session: `with ${peer}`,
      address: addressOf(peer, network),
      certificateExpires,
      certificateFlagged: false,
    });
  }

  say(peer: NodeId, message: PeerMessage): void {
    const session = `with ${peer}`;
    this.input({ type: "received", peer, session, plane: "datagram", envelope: { message } });
  }

  beat(peer: NodeId, fields: Partial<Beat> = {}): void {
    const seq = (this.#seqs.get(peer) ?? 0) + 1;
    this.#seqs.set(peer, seq);
    this.say(peer, {
      t: "beat",
      seq,
      incarnation: 1,
      boot: `boot of ${peer}`,
      period: 200,
      heard: 1,
      view: "alive",
      viewIncarnation: this.state.incarnation,
      roster: { generation: 1, term: 1, opener: "opener-a", epoch: 1 },
      ledger: "000000000000",
      wall: START,
      channels: ["inbox"],
      ...fields,
    });
  }

  /** This observer hears nothing of the subject either, and its probes were not answered. */
  sayIsSilent(observer: NodeId, subject: NodeId): void {
    this.say(observer, {
      t: "answer",
      subject,
      state: "silent",
      incarnation: 1,
      path: "datagram",
      probe: "silent",
    });
  }

  /** Lets time pass, waking as asked; `living` peers beat throughout. */
  pass(milliseconds: number, living: readonly NodeId[] = [], fields: Partial<Beat> = {}): void {
    const end = this.now + milliseconds;
    let nextBeat = this.now;
    while (this.now < end) {
      if (nextBeat <= this.now) {
        for (const peer of living) this.beat(peer, fields);
        nextBeat = this.now + 200;
      }
      const due = nextWakeAt(this.state) ?? instant(end);
      this.now = Math.min(end, nextBeat, Math.max(due, this.now + 1));
      this.input({ type: "wake" });
    }
  }

  /** Incidents and notes that this node holds, of one kind. */
  incidents(kind: IncidentKind): IncidentRecord[] {
    return [...this.state.ledger.records.values()].filter(
      (record): record is IncidentRecord => record.t === "incident" && record.kind === kind,
    );
  }

  /** How an incident ended; undefined while it is open. */
  endOf({ incident }: IncidentRecord): string | undefined {
    return resolutionOf(this.state.ledger, incident)?.how;
  }

  verdict(peer: NodeId): string | undefined {
    return meshView(this.state, this.env()).nodes.find(({ id }) => id === peer)?.verdict;
  }

  /** Titles of what was sent to people on the channel. */
  told(channel = "phone"): string[] {
    return this.effects.flatMap((effect) =>
      effect.type === "deliver" && effect.channel === channel ? [effect.notification.title] : [],
    );
  }
}
