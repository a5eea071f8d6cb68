/** Settings of incoming webhooks: Slack's, and Mattermost's, which take the same body. */
import * as z from "zod";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

interface IncomingWebhookConfig extends CommonChannelConfig {
  /** The webhook's address, as the service shows it. Treated as a secret. No default. */
  readonly url: string;
}
export interface SlackConfig extends IncomingWebhookConfig {
  readonly type: "slack";
}
export interface MattermostConfig extends IncomingWebhookConfig {
  readonly type: "mattermost";
}

/** Slack's workflows also have addresses to post to, but each wants fields of its own. */
const slackUrl = receiverUrl.refine((url) => !/^https?:\/\/hooks\.slack\.com(?!\/services\/)/i.test(url), {
  message: "must be an incoming webhook's address, https://hooks.slack.com/services/…",
  params: { fix: 'Add the app "Incoming Webhooks" to the channel: a workflow takes another body.' },
});
const mattermostUrl = receiverUrl.refine((url) => /\/hooks\/\w+\/?$/.test(url), {
  message: "must be an incoming webhook's address, which ends in /hooks/KEY",
  params: { fix: "Copy it in Mattermost from Integrations, Incoming Webhooks." },
});

const slackSchema: ChannelSchema<SlackConfig> = z.strictObject({
  ...commonFields,
  type: z.literal("slack"),
  url: slackUrl,
});
const mattermostSchema: ChannelSchema<MattermostConfig> = z.strictObject({
  ...commonFields,
  type: z.literal("mattermost"),
  url: mattermostUrl,
});

/** Parts of every webhook's address, which would otherwise be hidden in the service's own words. */
const PUBLIC_PARTS: ReadonlySet<string> = new Set(["services", "hooks"]);

const common = {
  secretsOf: (config: IncomingWebhookConfig): string[] =>
    urlSecrets(config.url).filter((part) => !PUBLIC_PARTS.has(part)),
  describe: (config: IncomingWebhookConfig): string => hostOf(config.url),
};

export const slackKind: ChannelKind<SlackConfig> = { schema: slackSchema, ...common };
export const mattermostKind: ChannelKind<MattermostConfig> = { schema: mattermostSchema, ...common };
