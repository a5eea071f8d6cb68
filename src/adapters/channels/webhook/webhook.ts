/**
 * Posts a notification to a URL. The contract with receivers is in README.md, "What a webhook gets":
 * the headers `Balefire-Event`, `Balefire-Id`, `Idempotency-Key`, `Balefire-Timestamp` and, with a
 * secret, `Balefire-Signature`.
 */
import { createHmac } from "node:crypto";
import type { SecureContext } from "node:tls";
import type { DeliveryOutcome } from "../../../core/io.ts";
import type { Notification } from "../../../core/notification.ts";
import type { WallTime } from "../../../kit/time.ts";
import type { Channel } from "../../../ports/channel.ts";
import {
  channelSecrets,
  WEBHOOK_CONTENT_TYPE_DEFAULT,
  WEBHOOK_SECRET_CHARS_MIN,
  type WebhookConfig,
  webhookTimeoutOf,
} from "../../../wire/channel-config.ts";
import { fillTemplate, templateValues } from "../../../wire/message-template.ts";
import { DETAIL_CHARS_MAX, oneLine, type Scrubber, scrubberFor, shorten } from "../detail.ts";
import { type PostEnd, post } from "../post.ts";
import { readSecretFile } from "../secret-file.ts";
import { HOST_ROOTS_FILE, hostTrust } from "../trust-store.ts";
import { judge } from "./judge.ts";

export interface WebhookSurroundings {
  readonly wall: () => WallTime;
  /** PEM file of the certificate authorities to trust. Default: the host's own. */
  readonly rootsFile?: string;
}

export const USER_AGENT: string = "Balefire";

/** All a delivery needs, read and checked once. */
interface Target {
  readonly config: WebhookConfig;
  readonly url: URL;
  readonly secret: string | undefined;
  readonly trust: SecureContext | undefined;
  readonly scrubber: Scrubber;
}

export function createWebhook(config: WebhookConfig, around: WebhookSurroundings): Channel {
  const secret = secretOf(config);
  const url = URL.parse(config.url);
  const secrets = [...channelSecrets(config), ...(secret.value === undefined ? [] : [secret.value])];
  const scrubber = scrubberFor(secrets);
  const trust = url?.protocol === "https:" ? hostTrust(around.rootsFile ?? HOST_ROOTS_FILE) : undefined;

  const deliver = async (notification: Notification, timeoutMs: number): Promise<DeliveryOutcome> => {
    if (secret.problem !== undefined) return { outcome: "permanent", detail: secret.problem };
    if (url === null) return { outcome: "permanent", detail: "the URL names no valid host" };
    const target: Target = { config, url, secret: secret.value, trust, scrubber };
    const end = await send(target, notification, around.wall(), timeoutMs);
    return hideSecrets(judge(end, url.origin, around.wall(), scrubber), scrubber);
  };
  return { name: config.name, type: config.type, deliver };
}

function secretOf(config: WebhookConfig): { value?: string; problem?: string } {
  if (config.secret !== undefined) return { value: config.secret };
  if (config.secretFile === undefined) return {};
  const read = readSecretFile(config.secretFile, WEBHOOK_SECRET_CHARS_MIN);
  return read.ok ? { value: read.value } : { problem: shorten(read.error.message, DETAIL_CHARS_MAX) };
}

function send(
  target: Target,
  notification: Notification,
  wall: WallTime,
  timeoutMs: number,
): Promise<PostEnd> {
  const { config, url, secret } = target;
  const body = bodyOf(config, notification);
  const timestamp = String(Math.floor(wall / 1000));
  return post({
    url,
    body,
    trust: target.trust,
    totalMs: Math.min(timeoutMs, webhookTimeoutOf(config)),
    headers: {
      "User-Agent": USER_AGENT,
      Accept: "*/*",
      ...config.headers,
      "Content-Type": config.contentType ?? WEBHOOK_CONTENT_TYPE_DEFAULT,
      "Balefire-Event": notification.state,
      "Balefire-Id": notification.id,
      "Idempotency-Key": notification.id,
      "Balefire-Timestamp": timestamp,
      ...(secret === undefined ? {} : { "Balefire-Signature": signature(secret, timestamp, body) }),
    },
  });
}

function bodyOf(config: WebhookConfig, notification: Notification): Buffer {
  if (config.template === undefined) return Buffer.from(JSON.stringify(notification));
  const contentType = config.contentType ?? WEBHOOK_CONTENT_TYPE_DEFAULT;
  return Buffer.from(fillTemplate(config.template, contentType, templateValues(notification)));
}

/** HMAC-SHA256 (RFC 2104) over the timestamp and the body, so that an old message cannot be sent again as new. */
const signature = (secret: string, timestamp: string, body: Buffer): string =>
  `sha256=${createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex")}`;

/** The last step on the way out, whatever the detail was made of. */
const hideSecrets = (result: DeliveryOutcome, scrubber: Scrubber): DeliveryOutcome => ({
  ...result,
  detail: shorten(scrubber.scrub(oneLine(result.detail)), DETAIL_CHARS_MAX),
});
