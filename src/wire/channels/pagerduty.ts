/** Settings of a PagerDuty service, or a ruleset, that takes events (Events API v2). */
import * as z from "zod";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { checkSecretPair, secretFile } from "./secrets.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

export const PAGERDUTY_URL_DEFAULT: string = "https://events.pagerduty.com";
/** As documented: "the 32 character Integration Key". */
export const PAGERDUTY_KEY: RegExp = /^[A-Za-z0-9]{32}$/;

export interface PagerdutyConfig extends CommonChannelConfig {
  readonly type: "pagerduty";
  /** Integration key of the service or ruleset: 32 letters and digits. No default; this or `routingKeyFile`. */
  readonly routingKey?: string | undefined;
  /** Absolute path of a file that holds the key instead. Default: none. Not together with `routingKey`. */
  readonly routingKeyFile?: string | undefined;
  /**
   * Base URL, without `/v2/enqueue`: http or https, 2048 characters at most, no fragment.
   * Default: https://events.pagerduty.com; accounts in the EU need https://events.eu.pagerduty.com.
   */
  readonly url?: string | undefined;
}

const schema: ChannelSchema<PagerdutyConfig> = z
  .strictObject({
    ...commonFields,
    type: z.literal("pagerduty"),
    routingKey: z
      .string()
      .regex(PAGERDUTY_KEY, "must be an integration key, 32 letters and digits")
      .optional(),
    routingKeyFile: secretFile.optional(),
    url: receiverUrl.optional(),
  })
  .superRefine((config, context) => checkSecretPair(config, "routingKey", context, "required"));

export const pagerdutyUrlOf = (config: PagerdutyConfig): string => config.url ?? PAGERDUTY_URL_DEFAULT;

export const pagerdutyKind: ChannelKind<PagerdutyConfig> = {
  schema,
  secretsOf: ({ url, routingKey }) => [
    ...(url === undefined ? [] : urlSecrets(url)),
    ...(routingKey === undefined ? [] : [routingKey]),
  ],
  describe: (config) => hostOf(pagerdutyUrlOf(config)),
};
