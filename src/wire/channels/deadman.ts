/** Settings of a dead-man's heartbeat: an outside service that raises the alarm when it is not pinged. */
import * as z from "zod";
import { type Duration, days, parseDuration, seconds } from "../../kit/time.ts";
import { type ChannelKind, type ChannelSchema, commonFields } from "./common.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

/** healthchecks.io ignores what comes more often than five times a minute. */
export const DEADMAN_EVERY_MIN: Duration = seconds(30);
export const DEADMAN_EVERY_MAX: Duration = days(1);
export const DEADMAN_EVERY_DEFAULT: Duration = seconds(60);

export interface DeadmanConfig {
  /** What the heartbeat is called in warnings and lists; as a channel's name. No default. */
  readonly name: string;
  readonly type: "deadman";
  /**
   * The ping URL, to which `/fail` is added when most of the mesh is gone: http or https, 2048
   * characters at most, no fragment. Treated as a secret. No default.
   */
  readonly url: string;
  /**
   * Time between two pings of the mesh: 30s to 1d. Default: 60s. The service should wait for at
   * least twice as long before it raises the alarm: another node takes over within two periods.
   */
  readonly every?: string | undefined;
  /** How long one ping may take, from name lookup to answer: 1s to 30s, as `10s`. Default: 10s. */
  readonly timeout?: string | undefined;
}

const schema: ChannelSchema<DeadmanConfig> = z.strictObject({
  name: commonFields.name,
  timeout: commonFields.timeout,
  type: z.literal("deadman"),
  url: receiverUrl,
  every: z
    .string()
    .refine((text) => {
      const length = parseDuration(text);
      return length !== undefined && length >= DEADMAN_EVERY_MIN && length <= DEADMAN_EVERY_MAX;
    }, "must be a duration from 30s to 1d, for example `60s`")
    .optional(),
});

export const deadmanEveryOf = ({ every }: DeadmanConfig): Duration =>
  (every === undefined ? undefined : parseDuration(every)) ?? DEADMAN_EVERY_DEFAULT;

export const deadmanKind: ChannelKind<DeadmanConfig> = {
  schema,
  secretsOf: ({ url }) => urlSecrets(url),
  describe: ({ url }) => hostOf(url),
};
