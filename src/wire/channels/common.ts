/**
 * What the settings of all channels have in common. The parsed value is as plain as the text it
 * came from, so that it can be encoded and parsed again. Messages of refusals name the key and the
 * fix, never the value: nearly every setting of a channel may hold a secret.
 */
import * as z from "zod";
import type { Severity } from "../../core/types.ts";
import { type Duration, parseDuration, seconds } from "../../kit/time.ts";
import { severities, type ToldKind, toldKinds } from "../incident-words.ts";
import { templateProblem } from "../message-template.ts";

export const TIMEOUT_MIN: Duration = seconds(1);
export const TIMEOUT_MAX: Duration = seconds(30);
export const TIMEOUT_DEFAULT: Duration = seconds(10);
export const TITLE_TEMPLATE_CHARS_MAX: number = 200;
export const TEXT_TEMPLATE_CHARS_MAX: number = 4096;
export const SECRET_CHARS_MAX: number = 1024;
/** Linux's PATH_MAX. */
export const PATH_CHARS_MAX: number = 4096;

/** Shorter values keep no secret, and hiding them would hide every "1" and "ok" in a receiver's reply. */
export const SECRET_CHARS_MIN: number = 4;

export interface CommonChannelConfig {
  /**
   * What the channel is called in messages, receipts and `notify test`.
   * A lower-case label (RFC 1123): letters, digits and inner hyphens, 1 to 63 characters;
   * `inbox` is taken by the built-in channel. No default.
   */
  readonly name: string;
  /** How long one attempt may take, from name lookup to answer: 1s to 30s, as `10s`. Default: 10s. */
  readonly timeout?: string | undefined;
  /** What is milder is not told here: info, warning or critical. Default: info, so everything is. */
  readonly minSeverity?: Severity | undefined;
  /** Only these kinds of incident are told here. Default: all. */
  readonly kinds?: readonly ToldKind[] | undefined;
  /**
   * Name of the channel that is told instead once every living node has failed on this one.
   * Never the built-in inbox, which is told everything anyway. Default: none.
   */
  readonly fallback?: string | undefined;
  /** Told nothing by itself, only as another's fallback. Default: false. */
  readonly onlyAsFallback?: boolean | undefined;
  /** The title to tell instead of the notification's own; placeholders as in message-template.ts. Default: none. */
  readonly title?: string | undefined;
  /** The text to tell instead of the notification's own; placeholders as in message-template.ts. Default: none. */
  readonly text?: string | undefined;
}

/** A schema that `z.discriminatedUnion` can tell apart by its `type`. */
export type ChannelSchema<C> = z.ZodType<C> & z.core.$ZodTypeDiscriminable;

/** All that is known of one type of channel before it is made; a line of the table in channel-config.ts. */
export interface ChannelKind<C extends CommonChannelConfig> {
  readonly schema: ChannelSchema<C>;
  /** Everything that must never be shown, as written; `channelSecrets` adds the decoded forms. */
  secretsOf(config: C): readonly string[];
  /** Where messages go, of that what may be shown: usually the host, never an address with a token in it. */
  describe(config: C): string;
  /** For a service that forgets what is not repeated: how often open incidents are sent again. */
  resendEvery?(config: C): Duration;
}

export const channelName: z.ZodType<string> = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "must be 1 to 63 lower-case letters, digits and inner hyphens, for example `phone`",
  )
  .refine((name) => name !== "inbox", "`inbox` is the name of the built-in channel; choose another");

const timeout: z.ZodType<string> = z.string().refine((text) => {
  const length = parseDuration(text);
  return length !== undefined && length >= TIMEOUT_MIN && length <= TIMEOUT_MAX;
}, "must be a duration from 1s to 30s, for example `10s`");

const words = (charsMax: number): z.ZodType<string> =>
  z
    .string()
    .min(1)
    .max(charsMax)
    .superRefine((template, context) => {
      const problem = templateProblem(template, "text/plain");
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    });

/** Spread into the strict object of every channel's schema. */
export const commonFields: {
  readonly [K in keyof Required<CommonChannelConfig>]: K extends "name"
    ? z.ZodType<CommonChannelConfig[K]>
    : z.ZodOptional<z.ZodType<CommonChannelConfig[K]>>;
} = {
  name: channelName,
  timeout: timeout.optional(),
  minSeverity: z.enum(severities).optional(),
  kinds: z.array(z.enum(toldKinds)).min(1).optional(),
  fallback: channelName.optional(),
  onlyAsFallback: z.boolean().optional(),
  title: words(TITLE_TEMPLATE_CHARS_MAX).optional(),
  text: words(TEXT_TEMPLATE_CHARS_MAX).optional(),
};

/** How long one attempt at delivery may take. */
export const timeoutOf = (config: CommonChannelConfig): Duration =>
  (config.timeout === undefined ? undefined : parseDuration(config.timeout)) ?? TIMEOUT_DEFAULT;
