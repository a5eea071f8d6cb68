/** What may stand in a configuration file. docs/configuration.md explains each key to the person who writes it. */
import * as z from "zod";
import { type Duration, minutes, ms, parseDuration, seconds } from "../kit/time.ts";
import { type ChannelConfig, channelConfig } from "./channel-config.ts";

/** Longest file that is read: a hundred channels with templates fit many times over. */
export const CONFIG_BYTES_MAX: number = 262_144;
export const CHANNELS_MAX: number = 32;

export const BEAT_DEFAULT: Duration = ms(200);
export const BEAT_LEAST: Duration = ms(50);
export const BEAT_MOST: Duration = seconds(5);
export const GRACE_DEFAULT: Duration = seconds(15);
export const GRACE_MOST: Duration = minutes(60);

export const LOG_LEVELS = ["error", "warning", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_LEVEL_DEFAULT: LogLevel = "info";

/** A file as it was written: whatever is absent is decided elsewhere (the shared document, then the default). */
export interface ConfigDocument {
  /** Ways to reach a person, tried by whichever node has the turn. Default: none. At most 32, names unique. */
  readonly channels?: ChannelConfig[] | undefined;
  readonly policy?:
    | { readonly daemonDown?: { readonly grace?: Duration | undefined } | undefined }
    | undefined;
  readonly mesh?: { readonly beat?: Duration | undefined } | undefined;
  /** Of this node alone: refused in the shared document. */
  readonly log?: { readonly level?: LogLevel | undefined } | undefined;
}

/** What a node runs with. */
export interface Config {
  /** Ways to reach a person. Default: none, and the built-in inbox. Range: 0 to 32, names unique. */
  readonly channels: readonly ChannelConfig[];
  readonly policy: {
    readonly daemonDown: {
      /**
       * How long a host whose kernel answers may be without Balefire before a
       * person is told; systemd restarts a dead daemon within it.
       * Default: 15s. Range: 0s to 60m.
       */
      readonly grace: Duration;
    };
  };
  readonly mesh: {
    /**
     * Time between two beats to one observer. A subject is suspected after
     * three periods of silence plus the path's measured jitter, so half the
     * period halves that part of the detection time and doubles the traffic.
     * Default: 200ms. Range: 50ms to 5s.
     */
    readonly beat: Duration;
  };
  readonly log: {
    /** The least serious entry that is still written to the journal. Default: info. One of error, warning, info, debug. */
    readonly level: LogLevel;
  };
}

/** A check's sentence and what to write instead; `config-explain.ts` reads them from the issue. */
export interface Complaint {
  readonly message: string;
  readonly fix: string;
}

/** What is wrong with a duration, or the duration. `undefined` bounds do not arise: every duration has a range. */
export function checkDuration(value: unknown, least: Duration, most: Duration): Duration | Complaint {
  const range = `${written(least)} to ${written(most)}`;
  if (typeof value === "number") {
    return {
      message: "a duration needs a unit",
      fix: `Write the unit behind the number: ms, s, m, h or d (${range}).`,
    };
  }
  const parsed = typeof value === "string" ? parseDuration(value) : undefined;
  if (parsed === undefined) {
    return {
      message: "this is not a duration",
      fix: `Write a number and a unit, such as 200ms, 15s or 10m (${range}).`,
    };
  }
  if (parsed < least || parsed > most) {
    const bound = parsed < least ? "shorter than" : "longer than";
    const limit = parsed < least ? least : most;
    return {
      message: `${written(parsed)} is ${bound} ${written(limit)}`,
      fix: `Write a duration from ${range}.`,
    };
  }
  return parsed;
}

/** Exactly, as a person would write it in the file: `50ms`, `5s`, `60m`. */
export function written(length: Duration): string {
  if (length % 60_000 === 0 && length > 0) return `${length / 60_000}m`;
  return length % 1000 === 0 ? `${length / 1000}s` : `${length}ms`;
}

function duration(least: Duration, most: Duration): z.ZodType<Duration> {
  return z.unknown().transform((value, context) => {
    const checked = checkDuration(value, least, most);
    if (typeof checked === "number") return checked;
    context.issues.push({
      code: "custom",
      input: value,
      message: checked.message,
      params: { fix: checked.fix },
    });
    return z.NEVER;
  });
}

const channels = z.array(channelConfig).max(CHANNELS_MAX).optional();
const policy = z
  .strictObject({ daemonDown: z.strictObject({ grace: duration(ms(0), GRACE_MOST).optional() }).optional() })
  .optional();
const mesh = z.strictObject({ beat: duration(BEAT_LEAST, BEAT_MOST).optional() }).optional();
const log = z.strictObject({ level: z.enum(LOG_LEVELS).optional() }).optional();

/** A node's own file. */
export const fileSchema: z.ZodType<ConfigDocument> = z.strictObject({ channels, policy, mesh, log });
/** The document that `config apply` hands to the whole mesh: no keys that belong to one node. */
export const sharedSchema: z.ZodType<ConfigDocument> = z.strictObject({ channels, policy, mesh });
