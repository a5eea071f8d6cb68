import type { WallTime } from "../../kit/time.ts";

/** What a channel is made with besides its settings. */
export interface ChannelSurroundings {
  /** The wall clock, for time stamps that receivers check. */
  readonly wall: () => WallTime;
  /** PEM file of the certificate authorities to trust. Default: the host's own. */
  readonly rootsFile?: string;
}
