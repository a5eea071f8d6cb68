import type { Notification } from "../core/notification.ts";

/** How a delivery ended, as the receiver told it. `detail` never holds a secret; 200 characters at most. */
export type DeliveryOutcome =
  | { readonly outcome: "delivered"; readonly detail: string }
  /** May succeed later; `retryAfterMs` when the receiver said when. */
  | { readonly outcome: "temporary"; readonly detail: string; readonly retryAfterMs?: number }
  /** The receiver refuses this for good (bad address, bad token). */
  | { readonly outcome: "permanent"; readonly detail: string };

/** A way to reach a person. Adding one is a folder, a registry line, and the shared contract suite. */
export interface Channel {
  readonly name: string;
  readonly type: string;
  /** Never rejects; ends within `timeoutMs`. The notification's id is the idempotency key. */
  deliver(notification: Notification, timeoutMs: number): Promise<DeliveryOutcome>;
}
