/** Does what the core asks for, as the daemon does: in order, the outcome returning as an input. */
import type { DeliveryOutcome, Effect, Notice, Stored } from "../../src/core/io.ts";
import type { Notification } from "../../src/core/notification.ts";
import type { Address, NodeId, ProbeOutcome } from "../../src/core/types.ts";
import type { Host } from "./host.ts";
import type { Network } from "./network.ts";
import { describeNotice } from "./notices.ts";
import type { Receiver } from "./receiver.ts";
import { uniform } from "./seeds.ts";
import type { Sessions } from "./sessions.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

/** The one channel that reaches a person. */
export const CHANNEL = "phone";
/** What depends on a write goes ahead after this long without it. */
const PERSIST_PATIENCE = 500;
/** A host without a route to the receiver, or a receiver that never answers, costs a channel this long. */
const DELIVERY_TIMEOUT = 30_000;
const RECEIVER_LEG_MIN = 5;
const RECEIVER_LEG_MAX = 60;
/** A probe connects this often, in parallel, over its patience. */
const KNOCKS = 4;
const UPLINK_LOOK = 2;

export interface Outside {
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly network: Network;
  readonly sessions: Sessions;
  readonly receiver: Receiver;
  /** Whether this host has a way to the receiver, its own link aside. */
  readonly reachesReceiver: (host: Host) => boolean;
  /** Whether this host hears its gateway, its own link aside. */
  readonly gatewayAnswers: (host: Host) => boolean;
  readonly indexOf: (node: NodeId) => number | undefined;
  readonly indexAt: (address: Address) => number | undefined;
  readonly hosts: readonly Host[];
  readonly onNotice: (host: Host, notice: Notice) => void;
  /** A message for a person leaves the core. */
  readonly onDeliver: (host: Host, notification: Notification) => void;
  /** A ping of a dead-man's heartbeat arrives at its service. */
  readonly onPing: (host: Host, ping: Ping) => void;
}

export type Ping = Extract<Effect, { type: "ping" }>;

export class Effects {
  readonly #outside: Outside;

  constructor(outside: Outside) {
    this.#outside = outside;
  }

  perform(host: Host, effects: readonly Effect[]): void {
    for (const effect of effects) this.#performOne(host, effect);
  }

  #performOne(host: Host, effect: Effect): void {
    const { sessions, trace, timeline, indexOf } = this.#outside;
    switch (effect.type) {
      case "send": {
        const to = indexOf(effect.to);
        if (to !== undefined) sessions.send(host.index, to, effect.plane, effect.envelope);
        return;
      }
      case "persist":
        this.#persist(host, effect.records, effect.afterwards);
        return;
      case "deliver":
        this.#deliver(host, effect);
        return;
      case "ping":
        this.#ping(host, effect);
        return;
      case "probe":
        this.#probe(host, effect.subject, effect.address, effect.patience);
        return;
      case "look-at-uplink":
        this.#lookAtUplink(host);
        return;
      case "dial": {
        const to = indexOf(effect.peer);
        trace.routine(timeline.now, `${host.name} dial ${effect.address}`);
        if (to !== undefined) sessions.dial(host.index, to, effect.address);
        return;
      }
      case "hang-up": {
        const peer = indexOf(effect.peer);
        if (peer !== undefined) sessions.hangUp(host.index, peer);
        return;
      }
      case "notice":
        trace.telling(timeline.now, `${host.name} ${describeNotice(effect.notice)}`);
        this.#outside.onNotice(host, effect.notice);
        return;
      case "tested":
        trace.telling(timeline.now, `${host.name} tested ${effect.request}: ${effect.result.outcome}`);
        return;
      case "consider-roster":
      case "relay":
        // One roster for the whole run, and no keymaster's questions.
        return;
    }
  }

  #persist(host: Host, records: readonly Stored[], afterwards: readonly Effect[]): void {
    const { timeline, trace } = this.#outside;
    const { life } = host;
    let performed = false;
    const goOn = (): void => {
      if (performed) return;
      performed = true;
      this.perform(host, afterwards);
    };
    timeline.in(PERSIST_PATIENCE, () => host.whenAwakeInLife(life, goOn));
    host.disk.commit(records, (succeeded) => {
      host.whenAwakeInLife(life, () => {
        goOn();
        if (succeeded && host.storeTrouble) host.give({ type: "store-recovered" });
        if (!succeeded && !host.storeTrouble) {
          trace.telling(timeline.now, `${host.name} store: no space left on device`);
          host.give({ type: "store-failed", reason: "no space left on device" });
        }
        host.storeTrouble = !succeeded;
      });
    });
  }

  #deliver(host: Host, effect: Extract<Effect, { type: "deliver" }>): void {
    const { timeline, trace, receiver } = this.#outside;
    const { life } = host;
    const { delivery, channel, notification } = effect;
    trace.telling(timeline.now, `${host.name} deliver ${delivery} ${channel}: ${notification.title}`);
    if (channel === CHANNEL) this.#outside.onDeliver(host, notification);
    const answer = (delay: number, result: DeliveryOutcome): void => {
      timeline.in(delay, () => {
        host.whenAwakeInLife(life, () => host.give({ type: "delivery", delivery, channel, result }));
      });
    };
    if (channel !== CHANNEL) {
      // The built-in inbox: on this very host.
      answer(0, { outcome: "delivered", detail: "kept here" });
      return;
    }
    if (!this.#canReach(host)) {
      const noCarrier = !this.#outside.network.linkUp(host.index);
      answer(noCarrier ? 1 : DELIVERY_TIMEOUT, { outcome: "temporary", detail: "no route to the receiver" });
      return;
    }
    const leg = uniform(host.random, RECEIVER_LEG_MIN, RECEIVER_LEG_MAX);
    timeline.in(leg, () => {
      const silent: DeliveryOutcome = { outcome: "temporary", detail: "no answer within 30 s" };
      if (!this.#canReach(host)) return answer(DELIVERY_TIMEOUT - leg, silent);
      const reply = receiver.take({ at: timeline.now, from: host.index, channel, notification });
      trace.telling(timeline.now, `receiver ${reply ?? "keeps silent"} ${delivery}: ${notification.title}`);
      if (reply === undefined) answer(DELIVERY_TIMEOUT - leg, silent);
      else if (!this.#canReach(host)) answer(DELIVERY_TIMEOUT - leg, silent);
      else answer(leg, OUTCOMES[reply]);
    });
  }

  #ping(host: Host, ping: Ping): void {
    const { timeline, trace, onPing } = this.#outside;
    const { life } = host;
    const { heartbeat } = ping;
    const answer = (delay: number, result: DeliveryOutcome): void => {
      timeline.in(delay, () => {
        host.whenAwakeInLife(life, () => host.give({ type: "pinged", heartbeat, result }));
      });
    };
    if (!this.#canReach(host)) {
      answer(DELIVERY_TIMEOUT, { outcome: "temporary", detail: "no route to the service" });
      return;
    }
    const leg = uniform(host.random, RECEIVER_LEG_MIN, RECEIVER_LEG_MAX);
    timeline.in(leg, () => {
      trace.telling(timeline.now, `${heartbeat} ${ping.condition}: ${ping.detail}`);
      onPing(host, ping);
      answer(leg, { outcome: "delivered", detail: "OK" });
    });
  }

  #canReach(host: Host): boolean {
    const { network, reachesReceiver } = this.#outside;
    return host.powered && network.linkUp(host.index) && reachesReceiver(host);
  }

  /** The kernel answers, whatever its processes do. */
  #probe(host: Host, subject: NodeId, address: Address, patience: number): void {
    const { timeline, network, hosts, indexAt } = this.#outside;
    const { life } = host;
    const from = host.index;
    const to = indexAt(address);
    const lane = to === undefined ? -1 : (hosts[to]?.addresses.indexOf(address) ?? -1);
    const peer = to === undefined ? undefined : hosts[to];
    const end = timeline.now + patience;
    let over = false;
    const say = (outcome: ProbeOutcome): void => {
      if (over) return;
      over = true;
      host.whenAwakeInLife(life, () => host.give({ type: "probed", subject, address, outcome }));
    };
    const knock = (): void => {
      if (over || to === undefined || peer === undefined) return;
      if (network.loses(from, to, lane) || !peer.powered || network.loses(to, from, lane)) {
        if (timeline.now + patience / KNOCKS < end) timeline.in(patience / KNOCKS, knock);
        return;
      }
      const roundTrip = network.leg(from, to) + network.leg(to, from);
      timeline.in(roundTrip, () => say(peer.running ? "accepted" : "refused"));
    };
    timeline.schedule(end, () => say("silent"));
    knock();
  }

  #lookAtUplink(host: Host): void {
    const { timeline, network } = this.#outside;
    const { life } = host;
    timeline.in(UPLINK_LOOK, () => {
      const carrier = network.linkUp(host.index);
      const up = carrier && this.#outside.gatewayAnswers(host);
      const gateway = up ? "answers" : "does not answer any more";
      const detail = carrier ? `eth0: carrier, gateway ${gateway}` : "eth0: no carrier";
      host.whenAwakeInLife(life, () => host.give({ type: "uplink", uplink: { up, detail } }));
    });
  }
}

const OUTCOMES: Readonly<Record<"delivered" | "refused" | "error", DeliveryOutcome>> = {
  delivered: { outcome: "delivered", detail: "HTTP 200" },
  refused: { outcome: "temporary", detail: "connection refused" },
  error: { outcome: "temporary", detail: "HTTP 500" },
};
