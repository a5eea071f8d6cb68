/** Apart from heat-reports.ts so that the command line need not load the schemas to know them. */
import { type Duration, hours, minutes, seconds } from "../kit/time.ts";

/** How far `temps` looks back for its sparklines, and into how many steps it divides that. */
export const RECENT_SPAN: Duration = minutes(10);
export const RECENT_STEPS: number = 30;
/** What a black box holds. */
export const BLACKBOX_SPAN: Duration = minutes(10);
/** Without `--from`. */
export const HISTORY_SPAN_DEFAULT: Duration = hours(24);
export const STEP_LEAST: Duration = seconds(1);
/** Of one answer: a line of the control socket has 1 MiB, a point some 110 bytes. */
export const POINTS_MAX: number = 5000;
