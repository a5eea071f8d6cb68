/** Hosts, network and receiver joined under one timeline; faults are applied here. */
import type { Birth, Notice, RosterView, SingleInput, Stored } from "../../src/core/io.ts";
import type { Notification } from "../../src/core/notification.ts";
import type { Address, HeartbeatRef, MeshId, NodeId } from "../../src/core/types.ts";
import { DEFAULT_POLICY, type Policy } from "../../src/core/types.ts";
import { ms } from "../../src/kit/time.ts";
import { Ambush } from "./ambush.ts";
import { Disk } from "./disk.ts";
import { CHANNEL, Effects, type Ping } from "./effects.ts";
import { describeFault, type Fault, type TimedFault } from "./faults.ts";
import { Host } from "./host.ts";
import type { Machine } from "./machine.ts";
import { Network } from "./network.ts";
import { Receiver } from "./receiver.ts";
import { generator } from "./seeds.ts";
import { type SensorMood, senseAll } from "./sensors.ts";
import { Sessions } from "./sessions.ts";
import { Timeline } from "./timeline.ts";
import { Trace } from "./trace.ts";
import { WireMeter } from "./wire-meter.ts";

const BEAT_PERIOD = ms(200);
export const MESH: MeshId = "5eed5eed-0000-4000-8000-000000000000";
/** From SIGTERM to the end of the process. */
const STOP_TAKES = 150;

export interface WorldOptions {
  readonly seed: number;
  readonly machine: Machine;
  /** One a host. */
  readonly names: readonly string[];
  /** Networks that every host is in. Default: one. */
  readonly networks?: number;
  /** Whether hosts have sensors. Default: none has. */
  readonly sensors?: SensorMood;
  /** Where it differs from the default. */
  readonly policy?: Partial<Policy>;
  /** Dead-man's heartbeats that every host can ping. Default: none. */
  readonly heartbeats?: readonly HeartbeatRef[];
  readonly onLine?: (line: string) => void;
  /** Hears every line of the trace, routine ones too. */
  readonly onRoutine?: (at: number, text: string) => void;
}

export const hostNames = (size: number): string[] =>
  Array.from({ length: size }, (_, index) => (index < 26 ? String.fromCharCode(97 + index) : `h${index}`));

export const idOf = (index: number): NodeId =>
  `00000000-0000-4000-8000-${String(index + 1).padStart(12, "0")}`;

/** One for each network: 10.0.0.1 of the first host where there is one, 10.1.0.1 and 10.2.0.1 where there are two. */
const addressesOf = (index: number, networks: number): Address[] =>
  Array.from(
    { length: networks },
    (_, network) => `10.${networks === 1 ? 0 : network + 1}.0.${index + 1}:7654`,
  );

/** A process that ended because an invariant of its own was broken. */
export interface Bug {
  readonly at: number;
  readonly host: string;
  readonly error: unknown;
}

export class World {
  readonly timeline: Timeline = new Timeline();
  readonly trace: Trace;
  readonly network: Network;
  readonly sessions: Sessions;
  readonly meter: WireMeter = new WireMeter();
  readonly receiver: Receiver = new Receiver();
  readonly ambush: Ambush;
  readonly hosts: Host[];
  readonly names: readonly string[];
  readonly bugs: Bug[] = [];
  readonly routes: boolean[];
  /** Whether each host hears its gateway. */
  readonly gateways: boolean[];
  readonly onDeliver: ((host: Host, notification: Notification) => void)[] = [];
  readonly onNotice: ((host: Host, notice: Notice) => void)[] = [];
  /** A ping of a dead-man's heartbeat has arrived at its service. */
  readonly onPing: ((host: Host, ping: Ping) => void)[] = [];
  /** Told after anything outside the machines has changed: a fault took effect, a process ended. */
  readonly onChange: (() => void)[] = [];
  /** When faults took effect. */
  readonly faultTimes: number[] = [];
  readonly #effects: Effects;
  readonly #policy: Partial<Policy>;
  readonly #heartbeats: readonly HeartbeatRef[];

  constructor(options: WorldOptions) {
    const { seed, machine, names, networks = 1 } = options;
    const { timeline } = this;
    this.names = names;
    this.#policy = options.policy ?? {};
    this.#heartbeats = options.heartbeats ?? [];
    this.trace = new Trace(options.onLine, options.onRoutine);
    this.network = new Network(names.length, generator(seed, "network"), networks);
    this.routes = names.map(() => true);
    this.gateways = names.map(() => true);
    const roster = rosterOf(names, networks);
    this.hosts = names.map(
      (name, index) =>
        new Host({
          index,
          id: idOf(index),
          name,
          addresses: addressesOf(index, networks),
          timeline,
          random: generator(seed, `host ${index}`),
          machine,
          disk: new Disk(timeline, generator(seed, `disk ${index}`)),
          birth: (host, stored) => this.#birth(host, stored, roster),
          perform: (host, effects) => this.#effects.perform(host, effects),
          traceInput: (host, input) => this.#traceInput(host, input),
          onBug: (host, error) => this.#onBug(host, error),
        }),
    );
    this.sessions = new Sessions(timeline, this.network, this.hosts, this.meter);
    this.meter.onSend.push((from, plane, envelope) => {
      this.#routine(`${names[from]} ${plane} ${envelope.number ?? ""} ${envelope.message.t}`);
    });
    this.#effects = this.#makeEffects();
    this.ambush = new Ambush(this);
    if (options.sensors !== undefined) senseAll(options.sensors, seed, this.hosts, timeline);
  }

  /** Applies the schedule, and lets time pass until `end`. */
  async run(schedule: readonly TimedFault[], end: number): Promise<void> {
    for (const { at, fault } of schedule) this.timeline.schedule(at, () => this.apply(fault));
    await this.timeline.runUntil(end);
  }

  apply(fault: Fault): void {
    const { now } = this.timeline;
    this.trace.telling(now, `fault ${describeFault(fault, this.names)}`);
    this.faultTimes.push(now);
    this.#applyNow(fault, now);
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.onChange) listener();
  }

  #applyNow(fault: Fault, now: number): void {
    switch (fault.type) {
      case "link":
        this.network.setLink(now, fault.host, fault.up, fault.network);
        return;
      case "path":
        this.network.setCut(now, fault.from, fault.to, !fault.up);
        return;
      case "network":
        this.network.setNetwork(now, fault.network, fault.up);
        return;
      case "partition":
        this.network.partition(now, fault.groups);
        return;
      case "heal":
        this.network.heal(now);
        return;
      case "quality":
        this.#setQuality(fault);
        return;
      case "ambush":
        this.ambush.lay(fault.point);
        return;
      case "receiver":
        this.receiver.setMood(now, fault.mood);
        return;
      default:
        this.#applyToHost(fault);
    }
  }

  #applyToHost(fault: Extract<Fault, { host: number }>): void {
    const host = this.hosts[fault.host];
    if (host === undefined) return;
    switch (fault.type) {
      case "power-on":
        host.powerOn();
        return;
      case "start":
        host.start();
        return;
      case "power-off":
        host.powerOff();
        this.sessions.processEnded(host.index, "power");
        return;
      case "kill":
        this.#endProcess(host, "crash");
        return;
      case "stop":
        this.#stop(host, fault.why);
        return;
      case "pause":
        host.pause();
        return;
      case "resume":
        host.resume();
        return;
      case "wall-step":
        host.wallOffset += fault.by;
        return;
      case "disk":
        host.disk.health = fault.health;
        return;
      case "operator":
        host.give(fault.input(this));
        return;
      case "gateway":
        this.gateways[fault.host] = fault.up;
        return;
      case "route":
        this.routes[fault.host] = fault.up;
        return;
    }
  }

  #stop(host: Host, why: "reboot" | "shutdown" | undefined): void {
    const { life } = host;
    if (!host.running) return;
    host.leave();
    host.whenAwake("stream", () => host.give({ type: "stop", ...(why === undefined ? {} : { why }) }));
    this.timeline.in(STOP_TAKES, () => {
      host.whenAwakeInLife(life, () => {
        this.#endProcess(host, "exit");
        this.#changed();
      });
    });
  }

  #endProcess(host: Host, how: "crash" | "exit" | "power"): void {
    if (!host.running) return;
    host.end();
    this.sessions.processEnded(host.index, how);
  }

  #setQuality(fault: Extract<Fault, { type: "quality" }>): void {
    const concerned = (host: number): boolean => fault.hosts?.includes(host) ?? true;
    this.hosts.forEach((_, from) => {
      this.hosts.forEach((__, to) => {
        if (from === to || !(concerned(from) || concerned(to))) return;
        this.network.setQuality(this.timeline.now, from, to, fault.loss, fault.jitter);
      });
    });
  }

  #birth(host: Host, stored: readonly Stored[], roster: RosterView): Birth {
    return {
      self: host.id,
      boot: host.boot,
      period: BEAT_PERIOD,
      roster,
      channels: [{ name: CHANNEL, type: "webhook" }],
      heartbeats: this.#heartbeats,
      policy: { ...DEFAULT_POLICY, ...this.#policy },
      stored,
    };
  }

  #makeEffects(): Effects {
    const byId = new Map(this.hosts.map((host) => [host.id, host.index]));
    const byAddress = new Map(
      this.hosts.flatMap((host) => host.addresses.map((address) => [address, host.index] as const)),
    );
    return new Effects({
      timeline: this.timeline,
      trace: this.trace,
      network: this.network,
      sessions: this.sessions,
      receiver: this.receiver,
      hosts: this.hosts,
      reachesReceiver: (host) => this.routes[host.index] === true,
      gatewayAnswers: (host) => this.gateways[host.index] === true,
      indexOf: (node) => byId.get(node),
      indexAt: (address) => byAddress.get(address),
      onDeliver: (host, notification) => {
        for (const listener of this.onDeliver) listener(host, notification);
      },
      onNotice: (host, notice) => {
        for (const listener of this.onNotice) listener(host, notice);
      },
      onPing: (host, ping) => {
        for (const listener of this.onPing) listener(host, ping);
      },
    });
  }

  #onBug(host: Host, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.trace.telling(this.timeline.now, `${host.name} BUG ${text}`);
    this.bugs.push({ at: this.timeline.now, host: host.name, error });
    this.#endProcess(host, "crash");
    this.#changed();
  }

  #traceInput(host: Host, input: SingleInput): void {
    const text = this.#describeInput(host, input);
    if (input.type === "wake" || input.type === "received") this.#routine(text);
    else this.trace.telling(this.timeline.now, text);
  }

  #routine(text: string): void {
    this.trace.routine(this.timeline.now, text);
  }

  #describeInput(host: Host, input: SingleInput): string {
    switch (input.type) {
      case "wake":
        return `${host.name} wake`;
      case "received": {
        const { number, message } = input.envelope;
        const seq = message.t === "beat" ? message.seq : "";
        return `${host.name} < ${this.nameOf(input.peer)} ${input.plane} ${number ?? ""} ${message.t} ${seq}`;
      }
      case "session-up":
        return `${host.name} session ${input.session} with ${this.nameOf(input.peer)}`;
      case "session-down":
        return `${host.name} session ${input.session} with ${this.nameOf(input.peer)} ends: ${input.end}`;
      case "dial-failed":
        return `${host.name} dial ${this.nameOf(input.peer)} failed: ${input.reason}`;
      case "probed":
        return `${host.name} probe ${this.nameOf(input.subject)}: ${input.outcome}`;
      case "uplink":
        return `${host.name} uplink ${input.uplink.detail}`;
      case "delivery":
        return `${host.name} delivery ${input.delivery}: ${input.result.outcome} ${input.result.detail}`;
      default:
        return `${host.name} ${input.type}`;
    }
  }

  nameOf(node: NodeId): string {
    return this.hosts.find((host) => host.id === node)?.name ?? node;
  }
}

function rosterOf(names: readonly string[], networks: number): RosterView {
  return {
    mesh: MESH,
    generation: 1,
    term: 1,
    opener: "of-pve-1",
    epoch: 1,
    keymaster: idOf(0),
    members: names.map((name, index) => ({ id: idOf(index), name, addresses: addressesOf(index, networks) })),
    signed: "the roster of the simulation",
  };
}
