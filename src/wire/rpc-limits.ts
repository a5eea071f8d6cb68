/** Apart from rpc.ts so that the command line need not load the schemas (45 ms) to know them. */
import { type Duration, days, minutes } from "../kit/time.ts";

export const RPC_LINE_BYTES_MAX: number = 1_048_576;

/** How long a maintenance or a silence may be meant to last; without a length it lasts until someone ends it. */
export const MUTE_FOR_LEAST: Duration = minutes(1);
export const MUTE_FOR_MOST: Duration = days(365);
export const MUTE_WHY_CHARS_MAX: number = 200;
