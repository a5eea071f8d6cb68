/** Every type of channel there is, a line each. */
import type { Channel } from "../../ports/channel.ts";
import type { Heartbeat } from "../../ports/heartbeat.ts";
import type { ChannelConfigs, HeartbeatConfig, ToldConfig, ToldType } from "../../wire/channel-config.ts";
import { reworded } from "../../wire/message-template.ts";
import { createAlertmanager } from "./alertmanager/alertmanager.ts";
import { createApprise } from "./apprise/apprise.ts";
import { createDeadman } from "./deadman/deadman.ts";
import { createDiscord } from "./discord/discord.ts";
import { createGotify } from "./gotify/gotify.ts";
import { createMatrix } from "./matrix/matrix.ts";
import { createNtfy } from "./ntfy/ntfy.ts";
import { createPagerduty } from "./pagerduty/pagerduty.ts";
import { createPushover } from "./pushover/pushover.ts";
import { createMattermost, createSlack } from "./slack/slack.ts";
import { createSmtp } from "./smtp/smtp.ts";
import type { ChannelSurroundings } from "./surroundings.ts";
import { createTeams } from "./teams/teams.ts";
import { createTelegram } from "./telegram/telegram.ts";
import { createWebhook } from "./webhook/webhook.ts";

export { inbox } from "./inbox/inbox.ts";

type Maker<C> = (config: C, around: ChannelSurroundings) => Channel;

const makers: { readonly [T in ToldType]: Maker<ChannelConfigs[T]> } = {
  alertmanager: createAlertmanager,
  apprise: createApprise,
  discord: createDiscord,
  gotify: createGotify,
  matrix: createMatrix,
  mattermost: createMattermost,
  ntfy: createNtfy,
  pagerduty: createPagerduty,
  pushover: createPushover,
  slack: createSlack,
  smtp: createSmtp,
  teams: createTeams,
  telegram: createTelegram,
  webhook: createWebhook,
};

/**
 * Reads what the configuration points to (`tokenFile` and the like) once, here: a delivery never
 * waits for the disk. What is found wrong then is the answer to every delivery. The channel's own
 * words (`title`, `text`) are in place before it sees a notification.
 */
export function createChannel(config: ToldConfig, around: ChannelSurroundings): Channel {
  // The table's type ties each maker to its own settings, which the compiler cannot follow through `type`.
  const make = makers[config.type] as Maker<ToldConfig>;
  const channel = make(config, around);
  return {
    name: channel.name,
    type: channel.type,
    deliver: (notification, timeoutMs) => channel.deliver(reworded(notification, config), timeoutMs),
  };
}

/** There is one type so far. */
export const createHeartbeat = (config: HeartbeatConfig, around: ChannelSurroundings): Heartbeat =>
  createDeadman(config, around);
