/** Does what the core decided. Each effect goes to one adapter; its outcome comes back as an input. */

import type { Effect, Notice, SingleInput } from "../core/io.ts";
import type { Request, Response } from "../core/messages.ts";
import type { Taken } from "../core/thermal/black-box.ts";
import type { Address, NodeId } from "../core/types.ts";
import { unreachable } from "../kit/assert.ts";
import type { Channel } from "../ports/channel.ts";
import type { Heartbeat } from "../ports/heartbeat.ts";
import type { Prober } from "../ports/prober.ts";
import type { Store } from "../ports/store.ts";
import type { PeerTransport } from "../ports/transport.ts";
import type { Uplinks } from "../ports/uplinks.ts";

/** A disk that takes longer than this does not hold back what people must be told. */
const PERSIST_PATIENCE_MS = 500;
/** A write that has neither failed nor ended for this long counts as failed: a disk may hang for ever. */
const PERSIST_HANGS_MS = 5000;
/** The longest a dead-man's heartbeat may take over one ping. */
const PING_TIMEOUT_MS = 10_000;
/** The longest a channel may take over one delivery. */
const DELIVERY_TIMEOUT_MS = 30_000;

export interface Surroundings {
  readonly transport: PeerTransport;
  readonly store: Store;
  readonly prober: Prober;
  readonly uplinks: Uplinks;
  readonly ownAddresses: () => readonly Address[];
  readonly channel: (name: string) => Channel | undefined;
  readonly heartbeat: (name: string) => Heartbeat | undefined;
  readonly considerRoster: (from: NodeId, signed: string) => void;
  readonly relay: (from: NodeId, message: Request | Response) => void;
  readonly tested: (request: string, result: Extract<Effect, { type: "tested" }>["result"]) => void;
  /** A pass over a host's sensors that became known. */
  readonly felt: (node: NodeId, pass: Taken) => void;
  readonly onNotice: (notice: Notice) => void;
  readonly push: (input: SingleInput) => void;
}

export function createPerformer(around: Surroundings): (effect: Effect) => void {
  let storeFailing = false;

  const storeFailed = (reason: string): void => {
    if (!storeFailing) around.push({ type: "store-failed", reason });
    storeFailing = true;
  };

  const persist = (effect: Extract<Effect, { type: "persist" }>): void => {
    const isAwaited = effect.afterwards.length > 0;
    let done = false;
    const goOn = (): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      for (const dependent of effect.afterwards) perform(dependent);
    };
    const timer = isAwaited ? setTimeout(goOn, PERSIST_PATIENCE_MS) : undefined;
    const hanging = setTimeout(
      () => storeFailed(`a write has not ended within ${PERSIST_HANGS_MS / 1000} s`),
      PERSIST_HANGS_MS,
    );
    // A process that ends need not wait to say so.
    hanging.unref();
    around.store.commit(effect.records, effect.canWait === true ? "soon" : "now").then(
      () => {
        clearTimeout(hanging);
        goOn();
        // That nothing was written says nothing about the disk.
        if (storeFailing && effect.records.length > 0) {
          storeFailing = false;
          around.push({ type: "store-recovered" });
        }
      },
      (error: Error) => {
        clearTimeout(hanging);
        goOn();
        storeFailed(error.message);
      },
    );
  };

  const deliver = ({ delivery, channel: name, notification }: Extract<Effect, { type: "deliver" }>): void => {
    const channel = around.channel(name);
    if (channel === undefined) {
      const result = {
        outcome: "permanent",
        detail: `channel ${name} is not configured here any more`,
      } as const;
      around.push({ type: "delivery", delivery, channel: name, result });
      return;
    }
    void channel
      .deliver(notification, DELIVERY_TIMEOUT_MS)
      .then((result) => around.push({ type: "delivery", delivery, channel: name, result }));
  };

  const ping = ({ heartbeat: name, condition, detail }: Extract<Effect, { type: "ping" }>): void => {
    const heartbeat = around.heartbeat(name);
    if (heartbeat === undefined) return;
    void heartbeat
      .ping(condition, detail, PING_TIMEOUT_MS)
      .then((result) => around.push({ type: "pinged", heartbeat: name, result }));
  };

  function perform(effect: Effect): void {
    switch (effect.type) {
      case "send":
        around.transport.send(effect.to, effect.plane, effect.envelope);
        return;
      case "persist":
        persist(effect);
        return;
      case "deliver":
        deliver(effect);
        return;
      case "probe": {
        const { subject, address, patience } = effect;
        void around.prober
          .probe(address, patience)
          .then((outcome) => around.push({ type: "probed", subject, address, outcome }));
        return;
      }
      case "look-at-uplink":
        void around.uplinks
          .look(around.ownAddresses())
          .then((uplink) => around.push({ type: "uplink", uplink }));
        return;
      case "ping":
        ping(effect);
        return;
      case "dial":
        around.transport.dial(effect.peer, effect.address);
        return;
      case "hang-up":
        around.transport.hangUp(effect.peer);
        return;
      case "consider-roster":
        around.considerRoster(effect.from, effect.signed);
        return;
      case "tested":
        around.tested(effect.request, effect.result);
        return;
      case "relay":
        around.relay(effect.from, effect.message);
        return;
      case "felt":
        around.felt(effect.node, effect.pass);
        return;
      case "notice":
        around.onNotice(effect.notice);
        return;
      default:
        unreachable(effect);
    }
  }
  return perform;
}
