/** Settings of an Apprise API server, which passes a message on to the services it is told of. */
import * as z from "zod";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

export const APPRISE_SERVICES_MAX: number = 20;
export const APPRISE_SERVICE_CHARS_MAX: number = 2048;

export interface AppriseConfig extends CommonChannelConfig {
  readonly type: "apprise";
  /**
   * The server's base URL, without `/notify`: http or https, 2048 characters at most, user and
   * password allowed (sent as HTTP Basic), no fragment. No default.
   */
  readonly url: string;
  /**
   * Name of a configuration that the server keeps: 1 to 64 letters, digits, hyphens and underscores.
   * Treated as a secret, since whoever knows it may send. Default: none. Not together with `services`.
   */
  readonly key?: string | undefined;
  /**
   * Apprise URLs of the services to pass the message on to, such as `discord://id/token`; treated as
   * secrets. 1 to 20. Default: those the server has by itself (`APPRISE_STATELESS_URLS`).
   */
  readonly services?: readonly string[] | undefined;
  /** Which of the key's services, by tag; as Apprise reads it. Default: all. Needs `key`. */
  readonly tag?: string | undefined;
}

const schema: ChannelSchema<AppriseConfig> = z
  .strictObject({
    ...commonFields,
    type: z.literal("apprise"),
    url: receiverUrl,
    key: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 letters, digits, hyphens and underscores")
      .optional(),
    services: z
      .array(
        z
          .string()
          .max(APPRISE_SERVICE_CHARS_MAX)
          .regex(
            /^[a-z][a-z0-9+.-]*:\/\/[\x21-\x7e]+$/i,
            "must be an Apprise URL, such as discord://id/token",
          ),
      )
      .min(1)
      .max(APPRISE_SERVICES_MAX)
      .optional(),
    tag: z
      .string()
      .max(200)
      .regex(
        /^[\w ,-]+$/,
        "must be tags of letters, digits, hyphens and underscores; space for and, comma for or",
      )
      .optional(),
  })
  .superRefine((config, context) => {
    const refuse = (path: string, message: string): void => {
      context.addIssue({ code: "custom", path: [path], message });
    };
    if (config.key !== undefined && config.services !== undefined)
      refuse("services", "are given together with `key`; keep one of the two");
    if (config.tag !== undefined && config.key === undefined) refuse("tag", "needs a `key`");
  });

export const appriseKind: ChannelKind<AppriseConfig> = {
  schema,
  secretsOf: ({ url, key, services = [] }) => [
    ...urlSecrets(url),
    ...(key === undefined ? [] : [key]),
    ...services.flatMap(serviceSecrets),
  ],
  describe: ({ url }) => hostOf(url),
};

/** Apprise keeps tokens in every part of a URL, the host included. */
const serviceSecrets = (url: string): string[] => [
  url,
  ...url.replace(/^[^:]*:\/\//, "").split(/[/:@?&=,]+/),
];
