/** Settings of a webhook: a URL of one's own that is posted to. */
import * as z from "zod";
import { isJsonType, templateProblem } from "../message-template.ts";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { checkSecretPair, secretFile, secretText } from "./secrets.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

export const WEBHOOK_SECRET_CHARS_MIN: number = 8;
export const WEBHOOK_HEADERS_MAX: number = 20;
export const WEBHOOK_HEADER_VALUE_CHARS_MAX: number = 4096;
export const WEBHOOK_TEMPLATE_CHARS_MAX: number = 16_384;
export const WEBHOOK_CONTENT_TYPE_DEFAULT: string = "application/json";

export interface WebhookConfig extends CommonChannelConfig {
  readonly type: "webhook";
  /**
   * Where the message is posted: http or https, 2048 characters at most, user and password
   * allowed (sent as HTTP Basic), no fragment. Redirects are not followed. No default.
   */
  readonly url: string;
  /**
   * Key of the signature `Balefire-Signature: sha256=HMAC-SHA256(secret, "<timestamp>.<body>")`.
   * 8 to 1024 characters. Default: none, and then messages are not signed.
   */
  readonly secret?: string | undefined;
  /** Absolute path of a file that holds the secret instead. Default: none. Not together with `secret`. */
  readonly secretFile?: string | undefined;
  /**
   * Headers to send besides Balefire's own, at most 20. Values are treated as secrets.
   * Default: none. Not settable: those Balefire or HTTP itself sets.
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * The body to send instead of the notification's JSON. Placeholders as in message-template.ts,
   * and `{{json}}` (the whole notification). Values are escaped as `contentType` demands; where
   * that is JSON, the template must give valid JSON. 16384 characters at most. Default: none.
   */
  readonly template?: string | undefined;
  /** The body's media type. Default: application/json; without a template it must be JSON. */
  readonly contentType?: string | undefined;
}

/** Set by Balefire or by HTTP itself; a second one would contradict the first. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "content-type",
  "expect",
  "host",
  "idempotency-key",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function headerProblem(name: string, value: string): string | undefined {
  const lower = name.toLowerCase();
  // RFC 9110, sections 5.1 and 5.5; obs-text is left out since receivers disagree about its encoding.
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(lower)) return "is not a header name";
  if (lower === "content-type") return "is set with `contentType`";
  if (RESERVED_HEADERS.has(lower) || lower.startsWith("balefire-")) return "is set by Balefire; remove it";
  if (!/^[\t\x20-\x7e]*$/.test(value)) return "must have a value of printable ASCII characters on one line";
  return undefined;
}

const headers: z.ZodType<Readonly<Record<string, string>>> = z
  .record(z.string(), z.string().max(WEBHOOK_HEADER_VALUE_CHARS_MAX))
  .superRefine((given, context) => {
    const entries = Object.entries(given);
    if (entries.length > WEBHOOK_HEADERS_MAX) {
      context.addIssue({ code: "custom", message: `has more than ${WEBHOOK_HEADERS_MAX} headers` });
    }
    for (const [name, value] of entries) {
      const problem = headerProblem(name, value);
      if (problem !== undefined) context.addIssue({ code: "custom", path: [name], message: problem });
    }
  });

const schema: ChannelSchema<WebhookConfig> = z
  .strictObject({
    ...commonFields,
    type: z.literal("webhook"),
    url: receiverUrl,
    secret: secretText(WEBHOOK_SECRET_CHARS_MIN).optional(),
    secretFile: secretFile.optional(),
    headers: headers.optional(),
    template: z.string().min(1).max(WEBHOOK_TEMPLATE_CHARS_MAX).optional(),
    contentType: z
      .string()
      .max(200)
      .regex(/^[\w.+-]+\/[\w.+-]+(; ?[\w-]+=[\w."-]+)*$/, "must be a media type, for example text/plain")
      .optional(),
  })
  .superRefine((config, context) => {
    checkSecretPair(config, "secret", context);
    const refuse = (key: string, message: string): void => {
      context.addIssue({ code: "custom", path: [key], message });
    };
    const contentType = config.contentType ?? WEBHOOK_CONTENT_TYPE_DEFAULT;
    if (config.template === undefined) {
      if (!isJsonType(contentType)) refuse("contentType", "needs a `template`, or must be JSON");
      return;
    }
    const problem = templateProblem(config.template, contentType);
    if (problem !== undefined) refuse("template", problem);
  });

/** A header's value, and its words: `Bearer <token>` is echoed with and without its scheme. */
const headerSecrets = (value: string): string[] => [value, ...value.split(/[\s,;]+/)];

export const webhookKind: ChannelKind<WebhookConfig> = {
  schema,
  secretsOf: (config) => [
    ...urlSecrets(config.url),
    ...Object.values(config.headers ?? {}).flatMap(headerSecrets),
    ...(config.secret === undefined ? [] : [config.secret]),
  ],
  describe: (config) => hostOf(config.url),
};
