/** Every type of channel's settings, as they stand in a configuration file or in the roster. */
import * as z from "zod";
import type { ChannelRef, HeartbeatRef } from "../core/types.ts";
import { type AlertmanagerConfig, alertmanagerKind } from "./channels/alertmanager.ts";
import { type AppriseConfig, appriseKind } from "./channels/apprise.ts";
import { type ChannelKind, type CommonChannelConfig, SECRET_CHARS_MIN } from "./channels/common.ts";
import { type DeadmanConfig, deadmanEveryOf, deadmanKind } from "./channels/deadman.ts";
import { type DiscordConfig, discordKind } from "./channels/discord.ts";
import { type GotifyConfig, gotifyKind } from "./channels/gotify.ts";
import { type MatrixConfig, matrixKind } from "./channels/matrix.ts";
import { type NtfyConfig, ntfyKind } from "./channels/ntfy.ts";
import { type PagerdutyConfig, pagerdutyKind } from "./channels/pagerduty.ts";
import { type PushoverConfig, pushoverKind } from "./channels/pushover.ts";
import { type MattermostConfig, mattermostKind, type SlackConfig, slackKind } from "./channels/slack.ts";
import { type SmtpConfig, smtpKind } from "./channels/smtp.ts";
import { type TeamsConfig, teamsKind } from "./channels/teams.ts";
import { type TelegramConfig, telegramKind } from "./channels/telegram.ts";
import { type WebhookConfig, webhookKind } from "./channels/webhook.ts";

/** What is told of incidents. A new type of channel is one more line here, and one in `toldKinds`. */
export interface ChannelConfigs {
  readonly alertmanager: AlertmanagerConfig;
  readonly apprise: AppriseConfig;
  readonly discord: DiscordConfig;
  readonly gotify: GotifyConfig;
  readonly matrix: MatrixConfig;
  readonly mattermost: MattermostConfig;
  readonly ntfy: NtfyConfig;
  readonly pagerduty: PagerdutyConfig;
  readonly pushover: PushoverConfig;
  readonly slack: SlackConfig;
  readonly smtp: SmtpConfig;
  readonly teams: TeamsConfig;
  readonly telegram: TelegramConfig;
  readonly webhook: WebhookConfig;
}
/** What is pinged, and told nothing. */
export interface HeartbeatConfigs {
  readonly deadman: DeadmanConfig;
}
export type ToldType = keyof ChannelConfigs;
export type ToldConfig = ChannelConfigs[ToldType];
export type HeartbeatType = keyof HeartbeatConfigs;
export type HeartbeatConfig = HeartbeatConfigs[HeartbeatType];
/** Both stand under `channels`. */
export type ChannelType = ToldType | HeartbeatType;
export type ChannelConfig = ToldConfig | HeartbeatConfig;

const toldKinds: { readonly [T in ToldType]: ChannelKind<ChannelConfigs[T]> } = {
  alertmanager: alertmanagerKind,
  apprise: appriseKind,
  discord: discordKind,
  gotify: gotifyKind,
  matrix: matrixKind,
  mattermost: mattermostKind,
  ntfy: ntfyKind,
  pagerduty: pagerdutyKind,
  pushover: pushoverKind,
  slack: slackKind,
  smtp: smtpKind,
  teams: teamsKind,
  telegram: telegramKind,
  webhook: webhookKind,
};
const heartbeatKinds: { readonly [T in HeartbeatType]: ChannelKind<HeartbeatConfigs[T]> } = {
  deadman: deadmanKind,
};
const kinds = { ...toldKinds, ...heartbeatKinds };

const isHeartbeat = (config: ChannelConfig): config is HeartbeatConfig => isHeartbeatType(config.type);

/** Whether what stands in a channel's `type` is pinged and told nothing. */
export const isHeartbeatType = (type: unknown): boolean =>
  typeof type === "string" && Object.hasOwn(heartbeatKinds, type);

/** What stands under `channels`, by what is done with it; the order is kept. */
export const separated = (
  configs: readonly ChannelConfig[],
): { readonly told: readonly ToldConfig[]; readonly heartbeats: readonly HeartbeatConfig[] } => ({
  told: configs.filter((config): config is ToldConfig => !isHeartbeat(config)),
  heartbeats: configs.filter(isHeartbeat),
});

export const CHANNEL_TYPES: readonly ChannelType[] = Object.keys(kinds) as ChannelType[];

/** The table's type ties each kind to its own settings, which the compiler cannot follow through `type`. */
const kindOf = (config: ChannelConfig): ChannelKind<CommonChannelConfig> =>
  kinds[config.type] as unknown as ChannelKind<CommonChannelConfig>;

/** The schema of one type, for what must know its keys. */
export const channelSchema = (type: ChannelType): z.ZodType<ChannelConfig> => kinds[type].schema;

type Options = readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]];
export const channelConfig: z.ZodType<ChannelConfig> = z.discriminatedUnion(
  "type",
  Object.values(kinds).map(({ schema }) => schema) as unknown as Options,
) as unknown as z.ZodType<ChannelConfig>;

/** Percent-encoding undone where it is valid. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Everything that must never be printed, logged or put into an error: as written and
 * percent-decoded. Other encodings of it are the printer's business (see adapters/channels/detail.ts).
 */
export function channelSecrets(config: ChannelConfig): string[] {
  const all = new Set(
    kindOf(config)
      .secretsOf(config)
      .flatMap((value) => [value, decoded(value)]),
  );
  return [...all].filter((value) => value.length >= SECRET_CHARS_MIN);
}

/** Name, type and host: all that may be shown of a channel. */
export const describeChannel = (config: ChannelConfig): string =>
  `${config.name} (${config.type}, ${kindOf(config).describe(config)})`;

/** What the core decides with. */
export function channelRef(config: ToldConfig): ChannelRef {
  const { name, type, minSeverity, kinds: told, fallback, onlyAsFallback } = config;
  const resendEvery = kindOf(config).resendEvery?.(config);
  return {
    name,
    type,
    ...(minSeverity === undefined ? {} : { minSeverity }),
    ...(told === undefined ? {} : { kinds: told }),
    ...(fallback === undefined ? {} : { fallback }),
    ...(onlyAsFallback === undefined ? {} : { onlyAsFallback }),
    ...(resendEvery === undefined ? {} : { resendEvery }),
  };
}

export const heartbeatRef = (config: HeartbeatConfig): HeartbeatRef => ({
  name: config.name,
  every: deadmanEveryOf(config),
});
