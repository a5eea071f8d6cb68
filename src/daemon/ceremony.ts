/**
 * A new code is shown before it counts: what it belongs to is prepared, the code printed, and only then is
 * it done. Should the daemon or the command die in between, the code opens nothing and all is as before.
 */
import { randomUUID } from "node:crypto";
import { failure, ok, type Result } from "../kit/result.ts";
import { type Duration, seconds } from "../kit/time.ts";

/** The command takes what it was offered at once; what nobody takes is forgotten. */
const OFFER_LIFE: Duration = seconds(30);

export class Ceremony<T> {
  #offer: { readonly ticket: string; readonly act: T; readonly timer: NodeJS.Timeout } | undefined;

  /** One at a time: an earlier one is forgotten. Returns what makes it count. */
  offer(act: T, life: Duration = OFFER_LIFE): string {
    this.#forget();
    const ticket = randomUUID();
    const timer = setTimeout(() => this.#forget(), life).unref();
    this.#offer = { ticket, act, timer };
    return ticket;
  }

  /** Once. Fails with `recovery-invalid` when it was forgotten. */
  take(ticket: string): Result<T> {
    const offer = this.#offer;
    if (offer?.ticket === ticket) {
      this.#forget();
      return ok(offer.act);
    }
    const message = "what was prepared is gone: the new code opens nothing, and nothing was changed";
    return failure("recovery-invalid", message, "Run the command again.", true);
  }

  #forget(): void {
    clearTimeout(this.#offer?.timer);
    this.#offer = undefined;
  }
}
