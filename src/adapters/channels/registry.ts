/** Every type of channel there is, a line each. */
import type { WallTime } from "../../kit/time.ts";
import type { Channel } from "../../ports/channel.ts";
import type { ChannelConfig } from "../../wire/channel-config.ts";
import { createWebhook } from "./webhook/webhook.ts";

export { inbox } from "./inbox/inbox.ts";

export interface ChannelSurroundings {
  /** The wall clock, for time stamps that receivers check. */
  readonly wall: () => WallTime;
  /** PEM file of the certificate authorities to trust. Default: the host's own. */
  readonly rootsFile?: string;
}

type Makers = {
  readonly [C in ChannelConfig as C["type"]]: (config: C, around: ChannelSurroundings) => Channel;
};

const makers: Makers = {
  webhook: createWebhook,
};

/**
 * Reads what the configuration points to (`secretFile`) once, here: a delivery never waits for the
 * disk. What is found wrong then is the answer to every delivery.
 */
export const createChannel = (config: ChannelConfig, around: ChannelSurroundings): Channel =>
  makers[config.type](config, around);
