import type { DeliveryOutcome } from "../core/io.ts";
import type { Notification } from "../core/notification.ts";

/** A way to reach a person. Adding one is a folder, a registry line, and the shared contract suite. */
export interface Channel {
  readonly name: string;
  readonly type: string;
  /** Never rejects; ends within `timeoutMs`. The notification's id is the idempotency key. */
  deliver(notification: Notification, timeoutMs: number): Promise<DeliveryOutcome>;
}
