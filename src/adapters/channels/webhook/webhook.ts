/**
 * Posts a notification to a URL. The contract with receivers is in README.md, "What a webhook gets":
 * the headers `Balefire-Event`, `Balefire-Id`, `Idempotency-Key`, `Balefire-Timestamp` and, with a
 * secret, `Balefire-Signature`.
 */
import { createHmac } from "node:crypto";
import type { Notification } from "../../../core/notification.ts";
import type { WallTime } from "../../../kit/time.ts";
import type { Channel } from "../../../ports/channel.ts";
import {
  WEBHOOK_CONTENT_TYPE_DEFAULT,
  WEBHOOK_SECRET_CHARS_MIN,
  type WebhookConfig,
} from "../../../wire/channels/webhook.ts";
import { fillTemplate, templateValues } from "../../../wire/message-template.ts";
import { type HttpRequest, httpChannel } from "../http-channel.ts";
import { readSecrets } from "../secret-file.ts";
import type { ChannelSurroundings } from "../surroundings.ts";

export const createWebhook = (config: WebhookConfig, around: ChannelSurroundings): Channel =>
  httpChannel({
    config,
    around,
    url: config.url,
    secrets: readSecrets(config, { secret: WEBHOOK_SECRET_CHARS_MIN }),
    send: (notification, { request, secrets, wall }) =>
      request(post(config, notification, wall, secrets.secret)),
  });

function post(
  config: WebhookConfig,
  notification: Notification,
  wall: WallTime,
  secret: string | undefined,
): HttpRequest {
  const body = bodyOf(config, notification);
  const timestamp = String(Math.floor(wall / 1000));
  return {
    url: config.url,
    body,
    headers: {
      ...config.headers,
      "Content-Type": config.contentType ?? WEBHOOK_CONTENT_TYPE_DEFAULT,
      "Balefire-Event": notification.state,
      "Balefire-Id": notification.id,
      "Idempotency-Key": notification.id,
      "Balefire-Timestamp": timestamp,
      ...(secret === undefined ? {} : { "Balefire-Signature": signature(secret, timestamp, body) }),
    },
  };
}

function bodyOf(config: WebhookConfig, notification: Notification): Buffer {
  if (config.template === undefined) return Buffer.from(JSON.stringify(notification));
  const contentType = config.contentType ?? WEBHOOK_CONTENT_TYPE_DEFAULT;
  return Buffer.from(fillTemplate(config.template, contentType, templateValues(notification)));
}

/** HMAC-SHA256 (RFC 2104) over the timestamp and the body, so that an old message cannot be sent again as new. */
const signature = (secret: string, timestamp: string, body: Buffer): string =>
  `sha256=${createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex")}`;
