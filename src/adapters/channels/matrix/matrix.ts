/**
 * Writes into a Matrix room over the client-server API. The notification's id is the transaction id:
 * a homeserver that has taken it before answers with the same event and does not send it twice.
 */
import type { Channel } from "../../../ports/channel.ts";
import { MATRIX_TOKEN, type MatrixConfig } from "../../../wire/channels/matrix.ts";
import { under } from "../address.ts";
import type { Answered } from "../exchange.ts";
import { httpChannel, jsonBody, jsonFields } from "../http-channel.ts";
import type { Reading } from "../judge.ts";
import { readSecrets } from "../secret-file.ts";
import { shaped } from "../secret-shape.ts";
import type { ChannelSurroundings } from "../surroundings.ts";
import { messageOf } from "./message.ts";

export const createMatrix = (config: MatrixConfig, around: ChannelSurroundings): Channel =>
  httpChannel({
    config,
    around,
    url: config.url,
    secrets: shaped(readSecrets(config, { token: 1 }), { token: MATRIX_TOKEN }),
    send: (notification, { request, secrets }) => {
      const { body, headers } = jsonBody(messageOf(notification));
      const path = `_matrix/client/v3/rooms/${encodeURIComponent(config.room)}/send/m.room.message`;
      return request(
        {
          method: "PUT",
          url: under(config.url, `${path}/${encodeURIComponent(notification.id)}`),
          headers: { ...headers, Authorization: `Bearer ${secrets.token ?? ""}` },
          body,
        },
        inWords,
      );
    },
  });

/**
 * Taken: `{"event_id": "$…"}`. Else `{"errcode": "M_…", "error": "…"}`, and with M_LIMIT_EXCEEDED
 * `retry_after_ms`, which older servers give in place of Retry-After.
 */
function inWords(answer: Answered): Reading | undefined {
  const { errcode, error, event_id: event, retry_after_ms: wait } = jsonFields(answer);
  if (typeof event === "string") return { said: event };
  if (typeof errcode !== "string") return undefined;
  return {
    said: typeof error === "string" ? `${errcode}: ${error}` : errcode,
    ...(errcode === "M_LIMIT_EXCEEDED" ? { outcome: "temporary" as const } : {}),
    ...(typeof wait === "number" ? { retryAfterMs: wait } : {}),
  };
}
