/** What takes seconds rather than periods. A beat leaves every period, so none of it needs a deadline of its own. */
import { after } from "../kit/time.ts";
import { reviewAbsences } from "./absences.ts";
import { reviewClocks } from "./clocks.ts";
import { reviewHearsay } from "./hearsay.ts";
import { learnUplink } from "./isolation.ts";
import { REVIEW_EVERY } from "./limits.ts";
import { reviewLinkProblems } from "./link-problems.ts";
import { followMutes } from "./mute-news.ts";
import { reviewPaths } from "./paths.ts";
import { gossipReadings } from "./readings-news.ts";
import { isDrowsy, type Turn } from "./state.ts";

export function review(turn: Turn): void {
  const { state, env } = turn;
  if (state.stopping || isDrowsy(turn) || env.now < state.reviewAt) return;
  state.reviewAt = after(env.now, REVIEW_EVERY);
  reviewAbsences(turn);
  reviewHearsay(turn);
  reviewLinkProblems(turn);
  reviewPaths(turn);
  learnUplink(turn);
  reviewClocks(turn);
  gossipReadings(turn);
  followMutes(turn);
}
