/** Settings of a Discord channel's webhook. */
import * as z from "zod";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

export interface DiscordConfig extends CommonChannelConfig {
  readonly type: "discord";
  /**
   * The webhook's address, as Discord shows it: it ends in `/webhooks/NUMBER/TOKEN`; `?thread_id=…`
   * posts to a thread. Treated as a secret. No default.
   */
  readonly url: string;
}

/** The variants for Slack's and GitHub's bodies (`…/TOKEN/slack`) take another shape. */
const WEBHOOK_PATH: RegExp = /\/webhooks\/\d+\/[\w-]+\/?(\?|$)/;

const schema: ChannelSchema<DiscordConfig> = z.strictObject({
  ...commonFields,
  type: z.literal("discord"),
  url: receiverUrl.refine((url) => WEBHOOK_PATH.test(url), {
    message: "must be a webhook's address, which ends in /webhooks/NUMBER/TOKEN",
    params: { fix: "Copy it in Discord from the channel's settings: Integrations, Webhooks." },
  }),
});

/** Parts of every webhook's address, which would otherwise be hidden in Discord's own words. */
const PUBLIC_PARTS: ReadonlySet<string> = new Set(["webhooks", "thread_id"]);

export const discordKind: ChannelKind<DiscordConfig> = {
  schema,
  secretsOf: (config) => urlSecrets(config.url).filter((part) => !PUBLIC_PARTS.has(part)),
  describe: (config) => hostOf(config.url),
};
