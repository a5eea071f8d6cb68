/** The far end of a channel: what really arrived there, whatever the sender came to believe. */
import type { Notification } from "../../src/core/notification.ts";

/**
 * `swallowing`: takes the message and never answers, so the sender must think it failed.
 * `pretending`: says yes and drops it; no real receiver should, it shows that the invariants bite.
 */
export type ReceiverMood = "well" | "refusing" | "erring" | "swallowing" | "pretending";

export interface Arrival {
  readonly at: number;
  readonly from: number;
  readonly channel: string;
  readonly notification: Notification;
}

export class Receiver {
  mood: ReceiverMood = "well";
  /** When the mood last changed. */
  changedAt = Number.NEGATIVE_INFINITY;
  /** When a sender was last left without an answer for a message that arrived. */
  swallowedAt = Number.NEGATIVE_INFINITY;
  readonly arrivals: Arrival[] = [];
  readonly onArrival: ((arrival: Arrival) => void)[] = [];

  setMood(now: number, mood: ReceiverMood): void {
    this.mood = mood;
    this.changedAt = now;
  }

  /** Undefined: no answer will come. */
  take(arrival: Arrival): "delivered" | "refused" | "error" | undefined {
    switch (this.mood) {
      case "refusing":
        return "refused";
      case "erring":
        return "error";
      case "pretending":
        return "delivered";
      case "swallowing":
        this.swallowedAt = arrival.at;
        this.#keep(arrival);
        return undefined;
      case "well":
        this.#keep(arrival);
        return "delivered";
    }
  }

  #keep(arrival: Arrival): void {
    this.arrivals.push(arrival);
    for (const listener of this.onArrival) listener(arrival);
  }
}
