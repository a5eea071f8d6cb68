/** Settings of a topic on an ntfy server (https://docs.ntfy.sh/publish/). */
import * as z from "zod";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { checkSecretPair, secretFile, secretText } from "./secrets.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

export const NTFY_SERVER_DEFAULT: string = "https://ntfy.sh";
/** What can stand in a header's value. */
export const NTFY_TOKEN: RegExp = /^[\x21-\x7e]{8,200}$/;

export interface NtfyConfig extends CommonChannelConfig {
  readonly type: "ntfy";
  /** The server: http or https, with the path it is served under, if any. Default: https://ntfy.sh. */
  readonly url?: string | undefined;
  /**
   * 1 to 64 letters, digits, `_` and `-`. Whoever knows it can read along, where the server asks for
   * nothing else: treated as a secret. No default.
   */
  readonly topic: string;
  /** An access token that may write to the topic: 8 to 200 characters. Default: none. Not together with `user`. */
  readonly token?: string | undefined;
  /** Absolute path of a file that holds the token instead. */
  readonly tokenFile?: string | undefined;
  /** Sent with the password as HTTP Basic. 1 to 100 characters, no colon. Default: none. */
  readonly user?: string | undefined;
  /** 1 to 1024 characters. Needed with `user`, here or in a file. */
  readonly password?: string | undefined;
  /** Absolute path of a file that holds the password instead. */
  readonly passwordFile?: string | undefined;
}

const schema: ChannelSchema<NtfyConfig> = z
  .strictObject({
    ...commonFields,
    type: z.literal("ntfy"),
    url: receiverUrl.optional(),
    topic: z.string().regex(/^[-_A-Za-z0-9]{1,64}$/, "must be 1 to 64 letters, digits, `_` and `-`"),
    token: z
      .string()
      .regex(NTFY_TOKEN, "must be an access token: 8 or more printable characters without spaces")
      .optional(),
    tokenFile: secretFile.optional(),
    user: z
      .string()
      .min(1)
      .max(100)
      // RFC 7617, section 2: the first colon ends the user's name.
      .regex(/^[^:\p{Cc}]*$/u, "must not hold a colon")
      .optional(),
    password: secretText(1).optional(),
    passwordFile: secretFile.optional(),
  })
  .superRefine((config, context) => {
    checkSecretPair(config, "token", context);
    checkSecretPair(config, "password", context, config.user === undefined ? "optional" : "required");
    const refuse = (key: string, message: string): void =>
      context.addIssue({ code: "custom", path: [key], message });
    const withToken = config.token !== undefined || config.tokenFile !== undefined;
    const password = config.password !== undefined ? "password" : "passwordFile";
    if (config.user !== undefined && withToken)
      refuse("user", "is given together with a token; keep one of the two");
    if (config.user === undefined && config[password] !== undefined) refuse(password, "needs a `user`");
  });

export const ntfyKind: ChannelKind<NtfyConfig> = {
  schema,
  secretsOf: ({ url, topic, token, user, password }) => [
    ...(url === undefined ? [] : urlSecrets(url)),
    ...[topic, token, user, password].filter((secret) => secret !== undefined),
    ...(user === undefined || password === undefined ? [] : [`${user}:${password}`]),
  ],
  describe: ({ url = NTFY_SERVER_DEFAULT }) => hostOf(url),
};
