/** Tells a PagerDuty service, or a ruleset, by events (Events API v2). */
import type { DeliveryOutcome } from "../../../core/io.ts";
import type { Channel } from "../../../ports/channel.ts";
import { PAGERDUTY_KEY, type PagerdutyConfig, pagerdutyUrlOf } from "../../../wire/channels/pagerduty.ts";
import { under } from "../address.ts";
import type { Answered } from "../exchange.ts";
import { type Attempt, httpChannel, jsonBody, jsonFields } from "../http-channel.ts";
import type { Reading } from "../judge.ts";
import { allOf } from "../outcomes.ts";
import { readSecrets } from "../secret-file.ts";
import { shaped } from "../secret-shape.ts";
import type { ChannelSurroundings } from "../surroundings.ts";
import { eventsOf, type PagerdutyEvent } from "./events.ts";

/** Events on their way at once: a hundred hosts are told within seconds, and no burst runs into PagerDuty's throttle. */
export const EVENTS_AT_ONCE: number = 8;

const RULESET_NOTE: string = "not sent: a note is no alert, and a ruleset's key takes no change events";

export const createPagerduty = (config: PagerdutyConfig, around: ChannelSurroundings): Channel =>
  httpChannel({
    config,
    around,
    url: pagerdutyUrlOf(config),
    secrets: shaped(readSecrets(config, { routingKey: 1 }), { routingKey: PAGERDUTY_KEY }),
    send: async (notification, attempt) => {
      const events = eventsOf(notification, attempt.secrets.routingKey ?? "");
      if (events.length === 0) return { outcome: "delivered", detail: RULESET_NOTE };
      return allOf(await sendAll(events, pagerdutyUrlOf(config), attempt));
    },
  });

/** The ends in the order of the events. */
async function sendAll(
  events: readonly PagerdutyEvent[],
  base: string,
  { request }: Pick<Attempt<unknown>, "request">,
): Promise<DeliveryOutcome[]> {
  const ends: DeliveryOutcome[] = [];
  const waiting = events.entries();
  const worker = async (): Promise<void> => {
    // Workers share the iterator, so that each event is taken once.
    for (const [index, { path, body }] of waiting) {
      ends[index] = await request({ url: under(base, path), ...jsonBody(body) }, inWords);
    }
  };
  await Promise.all(Array.from({ length: Math.min(EVENTS_AT_ONCE, events.length) }, worker));
  return ends;
}

/** `{"status": "invalid event", "message": "Event object is invalid", "errors": ["…"]}` */
function inWords(answer: Answered): Reading | undefined {
  const { message, errors } = jsonFields(answer);
  if (typeof message !== "string") return undefined;
  const causes = Array.isArray(errors) ? errors.filter((cause) => typeof cause === "string") : [];
  return { said: [message, ...causes].join(": ") };
}
