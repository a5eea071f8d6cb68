/**
 * Posts to an incoming webhook of Slack (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)
 * or of Mattermost, which takes the same body but reads the text as Markdown.
 */
import type { Notification } from "../../../core/notification.ts";
import type { Channel } from "../../../ports/channel.ts";
import type { MattermostConfig, SlackConfig } from "../../../wire/channels/slack.ts";
import { type HttpRequest, httpChannel, jsonBody, jsonFields } from "../http-channel.ts";
import { outcomeOf, type ReadAnswer } from "../judge.ts";
import { wordAt } from "../reply-fields.ts";
import { readSecrets } from "../secret-file.ts";
import type { ChannelSurroundings } from "../surroundings.ts";
import { hexColour, urgencyOf } from "../urgency.ts";
import { callingNobody, escapedWithin, escapeEntities, escapeMarkdown, wordsOf } from "../words.ts";

/** What Slack advises, and what Mattermost takes whatever its database; Slack cuts off at 40,000. */
export const INCOMING_TEXT_CHARS_MAX: number = 4000;
/** One line on a phone's lock screen and one in the channel. */
export const INCOMING_TITLE_CHARS_MAX: number = 250;

export const createSlack = (config: SlackConfig, around: ChannelSurroundings): Channel =>
  incomingWebhook(config, around, slackBody);

export const createMattermost = (config: MattermostConfig, around: ChannelSurroundings): Channel =>
  incomingWebhook(config, around, mattermostBody);

type Body = (notification: Notification) => unknown;

const incomingWebhook = (
  config: SlackConfig | MattermostConfig,
  around: ChannelSurroundings,
  body: Body,
): Channel =>
  httpChannel({
    config,
    around,
    url: config.url,
    secrets: readSecrets(config, {}),
    send: (notification, { request }) => {
      const post: HttpRequest = { url: config.url, ...jsonBody(body(notification)) };
      return request(post, readAnswer);
    },
  });

interface Parts {
  readonly text: string;
  readonly attachment: { readonly fallback: string; readonly color: string; readonly text: string };
}

/** The title is the message's text, since that is what a notification shows. */
function partsOf(notification: Notification, escaped: (text: string) => string): Parts {
  const words = wordsOf(notification);
  const title = escapedWithin(words.title, INCOMING_TITLE_CHARS_MAX, escaped);
  return {
    text: title,
    attachment: {
      fallback: title,
      color: hexColour(urgencyOf(notification)),
      text: escapedWithin(words.text, INCOMING_TEXT_CHARS_MAX, escaped),
    },
  };
}

/** Its `*bold*` and the like know no escape, but can be switched off. */
const slackBody: Body = (notification) => {
  const { text, attachment } = partsOf(notification, (each) => escapeEntities(callingNobody(each)));
  return { text, mrkdwn: false, attachments: [{ ...attachment, mrkdwn_in: [] }] };
};

/** It also translates Slack's `<!channel>` and `<address|name>`, so those are escaped in Slack's way. */
const mattermostBody: Body = (notification) => {
  const escaped = (each: string): string => escapeMarkdown(escapeEntities(callingNobody(each)));
  const { text, attachment } = partsOf(notification, escaped);
  return { text, attachments: [attachment] };
};

/**
 * Both say `ok` and nothing else; what a proxy or a login page says with 200 is no delivery.
 * Slack refuses with one word, Mattermost with an object.
 */
const readAnswer: ReadAnswer = (answer) => {
  if (outcomeOf(answer.status) !== "delivered") return { said: wordAt(jsonFields(answer), "message") };
  return /^\s*ok\b/.test(answer.reply) ? undefined : { outcome: "temporary" };
};
