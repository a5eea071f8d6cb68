/**
 * Settings of channels, as they stand in a configuration file or in the roster.
 * The parsed value is as plain as the text it came from, so that it can be encoded
 * and parsed again. Messages of refusals name the key and the fix, never the value:
 * nearly every setting of a channel may hold a secret.
 */
import * as z from "zod";
import { type Duration, parseDuration, seconds } from "../kit/time.ts";
import { isJsonType, templateProblem } from "./message-template.ts";

export const WEBHOOK_URL_CHARS_MAX: number = 2048;
export const WEBHOOK_SECRET_CHARS_MIN: number = 8;
export const WEBHOOK_SECRET_CHARS_MAX: number = 1024;
export const WEBHOOK_HEADERS_MAX: number = 20;
export const WEBHOOK_HEADER_VALUE_CHARS_MAX: number = 4096;
export const WEBHOOK_TEMPLATE_CHARS_MAX: number = 16_384;
export const WEBHOOK_TIMEOUT_MIN: Duration = seconds(1);
export const WEBHOOK_TIMEOUT_MAX: Duration = seconds(30);
export const WEBHOOK_TIMEOUT_DEFAULT: Duration = seconds(10);
export const WEBHOOK_CONTENT_TYPE_DEFAULT: string = "application/json";

/** Shorter values keep no secret, and hiding them would hide every "1" and "ok" in a receiver's reply. */
export const SECRET_CHARS_MIN: number = 4;

export interface WebhookConfig {
  /**
   * What the channel is called in messages, receipts and `notify test`.
   * A lower-case label (RFC 1123): letters, digits and inner hyphens, 1 to 63 characters;
   * `inbox` is taken by the built-in channel. No default.
   */
  readonly name: string;
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
  /**
   * Absolute path of a file that holds the secret instead, read by the daemon when it loads its
   * configuration; white space around it is dropped. It must exist on every node that has this
   * channel and must not be readable by everyone. Default: none. Not together with `secret`.
   */
  readonly secretFile?: string | undefined;
  /**
   * Headers to send besides Balefire's own, at most 20. Values are treated as secrets.
   * Default: none. Not settable: those Balefire or HTTP itself sets.
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * The body to send instead of the notification's JSON. Placeholders: `{{title}}`, `{{text}}`,
   * `{{kind}}`, `{{state}}`, `{{verdict}}`, `{{id}}`, `{{subjects}}` (names, joined by ", "),
   * `{{since}}` and `{{json}}` (the whole notification). Values are escaped as `contentType`
   * demands; where that is JSON, the template must give valid JSON. Default: none.
   */
  readonly template?: string | undefined;
  /** The body's media type. Default: application/json; without a template it must be JSON. */
  readonly contentType?: string | undefined;
  /** How long one attempt may take, from name lookup to answer: 1s to 30s, as `10s`. Default: 10s. */
  readonly timeout?: string | undefined;
}

export type ChannelConfig = WebhookConfig;

const channelName: z.ZodType<string> = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "must be 1 to 63 lower-case letters, digits and inner hyphens, for example `phone`",
  )
  .refine((name) => name !== "inbox", "`inbox` is the name of the built-in channel; choose another");

interface UrlParts {
  readonly userinfo: string;
  /** With the port. */
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

/**
 * RFC 3986 in the part of it that all parsers read alike: printable ASCII, at most one `@` before
 * the path, a host of plain letters or a bracketed IPv6 address.
 */
function urlParts(text: string): UrlParts | undefined {
  const found =
    /^https?:\/\/(?:([^@/?]*)@)?((?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?)(\/[^?]*)?(?:\?(.*))?$/i.exec(
      text,
    );
  if (found === null) return undefined;
  const [, userinfo = "", host = "", path = "/", query = ""] = found;
  return { userinfo, host, path, query };
}

function urlProblem(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text)) return "must begin with https:// or http://";
  if (text.includes("#")) return "must not have a fragment (#…); encode a literal # as %23";
  if (/[^\x21-\x7e]|[\\"<>^`{|}]/.test(text)) {
    return 'must be printable ASCII without spaces and without \\ " < > ^ ` { | }; percent-encode them';
  }
  if (urlParts(text) === undefined)
    return "is not a URL; write it in full, for example https://ntfy.example/topic";
  return undefined;
}

const webhookUrl: z.ZodType<string> = z
  .string()
  .max(WEBHOOK_URL_CHARS_MAX)
  .superRefine((text, context) => {
    const problem = urlProblem(text);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });

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

const webhookHeaders: z.ZodType<Readonly<Record<string, string>>> = z
  .record(z.string(), z.string().max(WEBHOOK_HEADER_VALUE_CHARS_MAX))
  .superRefine((headers, context) => {
    const entries = Object.entries(headers);
    if (entries.length > WEBHOOK_HEADERS_MAX) {
      context.addIssue({ code: "custom", message: `has more than ${WEBHOOK_HEADERS_MAX} headers` });
    }
    for (const [name, value] of entries) {
      const problem = headerProblem(name, value);
      if (problem !== undefined) context.addIssue({ code: "custom", path: [name], message: problem });
    }
  });

const webhookTimeout: z.ZodType<string> = z.string().refine((text) => {
  const length = parseDuration(text);
  return length !== undefined && length >= WEBHOOK_TIMEOUT_MIN && length <= WEBHOOK_TIMEOUT_MAX;
}, "must be a duration from 1s to 30s, for example `10s`");

const webhookConfig = z
  .strictObject({
    name: channelName,
    type: z.literal("webhook"),
    url: webhookUrl,
    secret: z.string().min(WEBHOOK_SECRET_CHARS_MIN).max(WEBHOOK_SECRET_CHARS_MAX).optional(),
    secretFile: z.string().max(4096).startsWith("/", "must be an absolute path").optional(),
    headers: webhookHeaders.optional(),
    template: z.string().min(1).max(WEBHOOK_TEMPLATE_CHARS_MAX).optional(),
    contentType: z
      .string()
      .max(200)
      .regex(/^[\w.+-]+\/[\w.+-]+(; ?[\w-]+=[\w."-]+)*$/, "must be a media type, for example text/plain")
      .optional(),
    timeout: webhookTimeout.optional(),
  })
  .superRefine((config, context) => {
    const refuse = (key: string, message: string): void => {
      context.addIssue({ code: "custom", path: [key], message });
    };
    if (config.secret !== undefined && config.secretFile !== undefined) {
      refuse("secretFile", "is given together with `secret`; keep one of the two");
    }
    const contentType = config.contentType ?? WEBHOOK_CONTENT_TYPE_DEFAULT;
    if (config.template === undefined) {
      if (!isJsonType(contentType)) refuse("contentType", "needs a `template`, or must be JSON");
      return;
    }
    const problem = templateProblem(config.template, contentType);
    if (problem !== undefined) refuse("template", problem);
  }) satisfies z.ZodType<WebhookConfig>;

/** A new type of channel is one more line here. */
export const channelConfig: z.ZodType<ChannelConfig> = z.discriminatedUnion("type", [webhookConfig]);

/** How long one attempt at delivery may take. */
export const webhookTimeoutOf = (config: WebhookConfig): Duration =>
  (config.timeout === undefined ? undefined : parseDuration(config.timeout)) ?? WEBHOOK_TIMEOUT_DEFAULT;

/** Percent-encoding undone where it is valid. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Services keep their tokens in any part of the URL: path (Slack), query, user and password. */
function urlSecrets(text: string): string[] {
  const parts = urlParts(text);
  if (parts === undefined) return [text];
  const { userinfo, path, query } = parts;
  const fields = query.split("&").flatMap((field) => [field, ...field.split("=")]);
  return [
    text,
    path,
    query,
    `${path}?${query}`,
    ...path.split("/"),
    ...fields,
    ...fields.map((field) => field.replaceAll("+", " ")),
    userinfo,
    ...userinfo.split(":"),
  ];
}

/** A header's value, and its words: `Bearer <token>` is echoed with and without its scheme. */
const headerSecrets = (value: string): string[] => [value, ...value.split(/[\s,;]+/)];

/**
 * Everything that must never be printed, logged or put into an error: as written and
 * percent-decoded. Other encodings of it are the printer's business (see adapters/channels/detail.ts).
 */
export function channelSecrets(config: ChannelConfig): string[] {
  const found = [
    ...urlSecrets(config.url),
    ...Object.values(config.headers ?? {}).flatMap(headerSecrets),
    ...(config.secret === undefined ? [] : [config.secret]),
  ];
  const all = new Set(found.flatMap((value) => [value, decoded(value)]));
  return [...all].filter((value) => value.length >= SECRET_CHARS_MIN);
}

/** Name, type and host: all that may be shown of a channel. */
export function describeChannel(config: ChannelConfig): string {
  return `${config.name} (${config.type}, ${urlParts(config.url)?.host ?? "no host"})`;
}
