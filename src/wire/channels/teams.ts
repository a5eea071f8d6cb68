/** Settings of a Microsoft Teams workflow ("Send webhook alerts to a channel" and its like). */
import * as z from "zod";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

export interface TeamsConfig extends CommonChannelConfig {
  readonly type: "teams";
  /** The workflow's address, as Power Automate shows it for its trigger. Treated as a secret. No default. */
  readonly url: string;
}

const schema: ChannelSchema<TeamsConfig> = z.strictObject({
  ...commonFields,
  type: z.literal("teams"),
  url: receiverUrl.refine(
    (url) => !/^https?:\/\/[^/]*\.?(webhook\.office\.com|outlook\.office\.com)(:\d+)?\//i.test(url),
    {
      message: "is an Office 365 connector's address, and Microsoft has retired those",
      params: {
        fix: "Make a workflow in Teams that posts webhook alerts to a channel, and take its address.",
      },
    },
  ),
});

/** Parts of every workflow's address, which would otherwise be hidden in the service's own words. */
const PUBLIC_PARTS: ReadonlySet<string> = new Set([
  "powerautomate",
  "automations",
  "direct",
  "workflows",
  "triggers",
  "manual",
  "paths",
  "invoke",
  "api-version",
]);

export const teamsKind: ChannelKind<TeamsConfig> = {
  schema,
  secretsOf: (config) => urlSecrets(config.url).filter((part) => !PUBLIC_PARTS.has(part)),
  describe: (config) => hostOf(config.url),
};
