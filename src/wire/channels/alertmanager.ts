/** Settings of a Prometheus Alertmanager, or of the members of a cluster of them (API v2). */
import * as z from "zod";
import { type Duration, minutes } from "../../kit/time.ts";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { checkSecretPair, secretFile } from "./secrets.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

/** Members of a cluster; three are usual. */
export const ALERTMANAGER_URLS_MAX: number = 8;
/** What can stand in a header. */
export const ALERTMANAGER_TOKEN: RegExp = /^[\x21-\x7e]{8,1024}$/;
/** An open alert that is not sent again ends after this: Alertmanager's own default `resolve_timeout`. */
export const ALERTMANAGER_OPEN_FOR: Duration = minutes(5);
/** Leaves room for one repetition that fails, and for the next node to take over. */
export const ALERTMANAGER_RESEND_EVERY: Duration = minutes(2);

export interface AlertmanagerConfig extends CommonChannelConfig {
  readonly type: "alertmanager";
  /**
   * Base URLs, without `/api/v2`: http or https, 2048 characters at most, user and password allowed
   * (sent as HTTP Basic), no fragment. 1 to 8; several are the members of one cluster, and each gets
   * every alert, as Alertmanager's clustering asks for. No default.
   */
  readonly urls: readonly string[];
  /** Sent as `Authorization: Bearer`, 8 to 1024 printable characters. Default: none. Not with a user in a URL. */
  readonly token?: string | undefined;
  /** Absolute path of a file that holds the token instead. Default: none. Not together with `token`. */
  readonly tokenFile?: string | undefined;
}

const schema: ChannelSchema<AlertmanagerConfig> = z
  .strictObject({
    ...commonFields,
    type: z.literal("alertmanager"),
    urls: z.array(receiverUrl).min(1).max(ALERTMANAGER_URLS_MAX),
    token: z
      .string()
      .regex(ALERTMANAGER_TOKEN, "must be a token: 8 to 1024 printable characters without spaces")
      .optional(),
    tokenFile: secretFile.optional(),
  })
  .superRefine((config, context) => {
    checkSecretPair(config, "token", context);
    if (config.token === undefined && config.tokenFile === undefined) return;
    for (const [index, url] of config.urls.entries()) {
      if (!/^https?:\/\/[^/?]*@/i.test(url)) continue;
      const message = "has a user and password, and there is a token too; a request carries only one of them";
      context.addIssue({ code: "custom", path: ["urls", index], message });
    }
  });

export const alertmanagerKind: ChannelKind<AlertmanagerConfig> = {
  schema,
  secretsOf: ({ urls, token }) => [...urls.flatMap(urlSecrets), ...(token === undefined ? [] : [token])],
  describe: ({ urls }) => urls.map(hostOf).join(", "),
  resendEvery: () => ALERTMANAGER_RESEND_EVERY,
};
