/** Settings of a Gotify server (https://gotify.net). */
import * as z from "zod";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { checkSecretPair, secretFile } from "./secrets.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

/** What can stand in a header's value; Gotify makes fifteen characters, `A` first. */
export const GOTIFY_TOKEN: RegExp = /^[\x21-\x7e]{8,200}$/;

export interface GotifyConfig extends CommonChannelConfig {
  readonly type: "gotify";
  /** The server: http or https, with the path it is served under, if any. No default. */
  readonly url: string;
  /** Token of the application that messages appear under (in Gotify: Apps). One of the two is needed. */
  readonly token?: string | undefined;
  /** Absolute path of a file that holds the token instead. */
  readonly tokenFile?: string | undefined;
}

const schema: ChannelSchema<GotifyConfig> = z
  .strictObject({
    ...commonFields,
    type: z.literal("gotify"),
    url: receiverUrl,
    token: z
      .string()
      .regex(GOTIFY_TOKEN, "must be an application's token: 8 or more printable characters without spaces")
      .optional(),
    tokenFile: secretFile.optional(),
  })
  .superRefine((config, context) => checkSecretPair(config, "token", context, "required"));

export const gotifyKind: ChannelKind<GotifyConfig> = {
  schema,
  secretsOf: (config) => [...urlSecrets(config.url), ...(config.token === undefined ? [] : [config.token])],
  describe: (config) => hostOf(config.url),
};
