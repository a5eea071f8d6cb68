/**
 * Messages cross the simulated network through the real codec: all that are not
 * beats, and a share of the beats. What arrives is what was decoded, so a core that
 * counts on more than the codec carries, or on sharing an object, fails here.
 */
import type { Envelope, Plane } from "../../src/core/messages.ts";
import { decodeEnvelope, encodeEnvelope } from "../../src/wire/envelope.ts";

/** One beat in so many takes the way through the codec; counted as that many. */
const BEATS_PER_SAMPLE = 16;

export interface Traffic {
  messages: number;
  /** Estimated from the sampled beats. */
  bytes: number;
  readonly byKind: Map<string, number>;
}

export class WireMeter {
  readonly traffic: Traffic = { messages: 0, bytes: 0, byKind: new Map() };
  /** What the codec refused; a sound core never makes such a message. */
  readonly refusals: string[] = [];
  readonly onSend: ((from: number, plane: Plane, envelope: Envelope) => void)[] = [];
  #beats = 0;

  pass(from: number, plane: Plane, envelope: Envelope): Envelope {
    const { t } = envelope.message;
    this.traffic.messages += 1;
    this.traffic.byKind.set(t, (this.traffic.byKind.get(t) ?? 0) + 1);
    for (const listener of this.onSend) listener(from, plane, envelope);
    if (t !== "beat") return this.#throughCodec(envelope, 1);
    this.#beats += 1;
    return this.#beats % BEATS_PER_SAMPLE === 0 ? this.#throughCodec(envelope, BEATS_PER_SAMPLE) : envelope;
  }

  #throughCodec(envelope: Envelope, standsFor: number): Envelope {
    const text = encodeEnvelope(envelope);
    this.traffic.bytes += Buffer.byteLength(text) * standsFor;
    const decoded = decodeEnvelope(text);
    if (!decoded.ok) {
      this.refusals.push(`${decoded.error.message}: ${text.slice(0, 200)}`);
      return envelope;
    }
    if (decoded.value === "unknown-message") {
      this.refusals.push(`not understood: ${text.slice(0, 200)}`);
      return envelope;
    }
    return decoded.value;
  }
}
