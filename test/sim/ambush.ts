/** Kills whoever sends next, at one point between the sending of a message and the receipt for it. */
import { CHANNEL } from "./effects.ts";
import type { World } from "./world.ts";

/** Once the message is on its way; as it arrives; as the receiver's answer is known, before others know of it. */
export type AmbushPoint = "sent" | "arrived" | "answered";
export const AMBUSH_POINTS: readonly AmbushPoint[] = ["sent", "arrived", "answered"];

/** What the sender said to its peers before has left its host by then; the message is still on its way. */
const AFTER_SENT = 2;
/** In the middle of what follows from the answer. */
const AFTER_ANSWERED = 0.2;
/** systemd's RestartSec, about. */
const RESTART = 5000;

export class Ambush {
  /** Senders that were killed. */
  kills = 0;
  readonly #world: World;
  #point: AmbushPoint | undefined;

  constructor(world: World) {
    this.#world = world;
    world.onDeliver.push((host) => this.#strikeAt("sent", host.index, AFTER_SENT));
    world.receiver.onArrival.push(({ from }) => this.#strikeAt("arrived", from, 0));
    world.onNotice.push((host, notice) => {
      const own = notice.type === "message" && notice.node === host.id && notice.channel === CHANNEL;
      if (own && notice.outcome === "delivered") this.#strikeAt("answered", host.index, AFTER_ANSWERED);
    });
  }

  /** Undefined: nobody any more. */
  lay(point: AmbushPoint | undefined): void {
    this.#point = point;
  }

  #strikeAt(point: AmbushPoint, host: number, delay: number): void {
    if (this.#point !== point) return;
    this.#point = undefined;
    this.kills += 1;
    const { timeline } = this.#world;
    timeline.in(delay, () => this.#world.apply({ type: "kill", host }));
    timeline.in(delay + RESTART, () => this.#world.apply({ type: "start", host }));
  }
}
