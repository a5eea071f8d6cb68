/** Hands a message to an Apprise API server, which passes it on to the services it is told of. */
import type { Notification } from "../../../core/notification.ts";
import type { Channel } from "../../../ports/channel.ts";
import type { AppriseConfig } from "../../../wire/channels/apprise.ts";
import { under } from "../address.ts";
import type { Answered } from "../exchange.ts";
import { httpChannel, jsonBody, jsonFields } from "../http-channel.ts";
import type { Reading } from "../judge.ts";
import { readSecrets } from "../secret-file.ts";
import { shorten } from "../shorten.ts";
import type { ChannelSurroundings } from "../surroundings.ts";
import { type Urgency, urgencyOf } from "../urgency.ts";
import { wordsOf } from "../words.ts";

/** Apprise cuts a message to what each service takes; its server refuses bodies of more than 3 MB. */
export const TITLE_CHARS_MAX: number = 512;
export const BODY_CHARS_MAX: number = 16_384;

/** Services show it as a colour or a sign. */
const TYPES: Readonly<Record<Urgency, "info" | "success" | "warning" | "failure">> = {
  alarm: "failure",
  warning: "warning",
  recovery: "success",
  note: "info",
  test: "info",
};

interface Payload {
  readonly title: string;
  readonly body: string;
  readonly type: (typeof TYPES)[Urgency];
  readonly format: "text";
  readonly urls?: string;
  readonly tag?: string;
}

export const createApprise = (config: AppriseConfig, around: ChannelSurroundings): Channel =>
  httpChannel({
    config,
    around,
    url: config.url,
    secrets: readSecrets(config, {}),
    send: (notification, { request }) => {
      const { body, headers } = jsonBody(payloadOf(config, notification));
      return request(
        {
          url: under(config.url, config.key === undefined ? "notify" : `notify/${config.key}`),
          // The level at which the answer's log says which services took the message.
          headers: { ...headers, Accept: "application/json", "X-Apprise-Log-Level": "INFO" },
          body,
        },
        inWords,
      );
    },
  });

function payloadOf({ services, tag }: AppriseConfig, notification: Notification): Payload {
  const { title, text } = wordsOf(notification);
  return {
    title: shorten(title, TITLE_CHARS_MAX),
    body: shorten(text, BODY_CHARS_MAX),
    type: TYPES[urgencyOf(notification)],
    format: "text",
    ...(services === undefined ? {} : { urls: services.join(",") }),
    ...(tag === undefined ? {} : { tag }),
  };
}

const NO_CONTENT = 204;
const FAILED_DEPENDENCY = 424;

/**
 * `{"error": null or "…", "details": [["INFO", "time", "Sent Discord notification."], …]}`.
 *
 * - 204: the server has no services to pass the message on to, so nobody was told.
 * - 424: at least one service did not take it. Where the log shows that another one did, a person is
 *   told, and trying again would tell that person again each time.
 */
function inWords(answer: Answered): Reading | undefined {
  if (answer.status === NO_CONTENT)
    return { outcome: "permanent", said: "there is no such key, or no service is set up there" };
  const { error, details } = jsonFields(answer);
  const log = entriesOf(details);
  const said = [...(typeof error === "string" ? [error] : []), ...log.map(({ text }) => text)].join("; ");
  if (answer.status !== FAILED_DEPENDENCY) return said === "" ? undefined : { said };
  const sent = log.some(({ level, text }) => level === "INFO" && /^Sent\b/.test(text));
  return { outcome: sent ? "delivered" : "temporary", ...(said === "" ? {} : { said }) };
}

interface LogEntry {
  readonly level: string;
  readonly text: string;
}

/** What goes wrong comes first, so that it is not what is cut. */
function entriesOf(details: unknown): LogEntry[] {
  if (!Array.isArray(details)) return [];
  const entries = details.flatMap((entry: unknown): LogEntry[] => {
    if (!Array.isArray(entry)) return [];
    const [level, , text] = entry as readonly unknown[];
    return typeof level === "string" && typeof text === "string" ? [{ level, text }] : [];
  });
  return [
    ...entries.filter(({ level }) => level !== "INFO"),
    ...entries.filter(({ level }) => level === "INFO"),
  ];
}
