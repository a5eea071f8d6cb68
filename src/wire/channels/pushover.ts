/** Settings of Pushover (https://pushover.net/api). */
import * as z from "zod";
import { type Duration, hours, minutes, parseDuration, seconds } from "../../kit/time.ts";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { checkSecretPair, secretFile } from "./secrets.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

export const PUSHOVER_URL_DEFAULT: string = "https://api.pushover.net";
/** Of an application's token and of a user's or group's key alike. */
export const PUSHOVER_KEY: RegExp = /^[A-Za-z0-9]{30}$/;
/** The service's own bounds of an emergency's repetition. */
export const PUSHOVER_RETRY_MIN: Duration = seconds(30);
export const PUSHOVER_EXPIRE_MAX: Duration = hours(3);
export const PUSHOVER_RETRY_DEFAULT: Duration = seconds(60);
export const PUSHOVER_EXPIRE_DEFAULT: Duration = minutes(30);

export interface PushoverConfig extends CommonChannelConfig {
  readonly type: "pushover";
  /** Token of the application that messages come from, 30 letters and digits. One of the two is needed. */
  readonly token?: string | undefined;
  /** Absolute path of a file that holds the token instead. */
  readonly tokenFile?: string | undefined;
  /** Key of the user or group to tell, 30 letters and digits; Pushover wants it kept private. One of the two is needed. */
  readonly user?: string | undefined;
  /** Absolute path of a file that holds the user's key instead. */
  readonly userFile?: string | undefined;
  /** Name of one of the user's devices. Default: all of them. */
  readonly device?: string | undefined;
  /**
   * Whether what is critical rings again and again until somebody acknowledges it (priority 2).
   * Default: false, and then it rings once, even in the user's quiet hours (priority 1).
   */
  readonly emergency?: boolean | undefined;
  /** How often an emergency rings: 30s to 3h. Default: 60s. Only with `emergency`. */
  readonly retry?: string | undefined;
  /** How long an emergency goes on ringing: 30s to 3h; 50 times at most. Default: 30m. Only with `emergency`. */
  readonly expire?: string | undefined;
  /** Another address of the API, such as a proxy's. Default: https://api.pushover.net. */
  readonly url?: string | undefined;
}

const key = (whose: string): z.ZodType<string> =>
  z.string().regex(PUSHOVER_KEY, `must be ${whose}: 30 letters and digits`);

const repetition: z.ZodType<string> = z.string().refine((text) => {
  const length = parseDuration(text);
  return length !== undefined && length >= PUSHOVER_RETRY_MIN && length <= PUSHOVER_EXPIRE_MAX;
}, "must be a duration from 30s to 3h, for example `60s`");

const schema: ChannelSchema<PushoverConfig> = z
  .strictObject({
    ...commonFields,
    type: z.literal("pushover"),
    token: key("an application's token").optional(),
    tokenFile: secretFile.optional(),
    user: key("a user's or group's key").optional(),
    userFile: secretFile.optional(),
    device: z
      .string()
      .regex(/^[\w-]{1,25}$/, "must be a device's name: 1 to 25 letters, digits, _ and -")
      .optional(),
    emergency: z.boolean().optional(),
    retry: repetition.optional(),
    expire: repetition.optional(),
    url: receiverUrl.optional(),
  })
  .superRefine((config, context) => {
    checkSecretPair(config, "token", context, "required");
    checkSecretPair(config, "user", context, "required");
    for (const setting of ["retry", "expire"] as const) {
      if (config[setting] === undefined || config.emergency === true) continue;
      context.addIssue({ code: "custom", path: [setting], message: "needs `emergency: true`" });
    }
  });

const lengthOf = (text: string | undefined, otherwise: Duration): Duration =>
  (text === undefined ? undefined : parseDuration(text)) ?? otherwise;

/** How an emergency is repeated; undefined where there are none. */
export const pushoverEmergency = (
  config: PushoverConfig,
): { readonly retry: Duration; readonly expire: Duration } | undefined =>
  config.emergency === true
    ? {
        retry: lengthOf(config.retry, PUSHOVER_RETRY_DEFAULT),
        expire: lengthOf(config.expire, PUSHOVER_EXPIRE_DEFAULT),
      }
    : undefined;

export const pushoverKind: ChannelKind<PushoverConfig> = {
  schema,
  secretsOf: ({ url, token, user }) => [
    ...(url === undefined ? [] : urlSecrets(url)),
    ...(token === undefined ? [] : [token]),
    ...(user === undefined ? [] : [user]),
  ],
  describe: (config) => hostOf(config.url ?? PUSHOVER_URL_DEFAULT),
};
