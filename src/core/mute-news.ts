/** Says when a maintenance or a silence begins, is changed, lifted or over, whoever set it and on whichever node. */
import { mutesInForce } from "./ledger.ts";
import type { Matcher, MuteRecord } from "./ledger-records.ts";
import { nameOf, notice, type Turn } from "./state.ts";

/** After the mutes may have changed, and now and then: one may have run out. */
export function followMutes(turn: Turn): void {
  const { state, env } = turn;
  const { mutesSeen } = state.notify;
  if (state.ledger.mutes.size === 0 && mutesSeen.size === 0) return;
  const inForce = new Map(mutesInForce(state.ledger, env.wall).map((record) => [record.mute, record]));
  for (const [mute, record] of inForce) {
    const seen = mutesSeen.get(mute);
    mutesSeen.set(mute, record);
    if (seen?.revision !== record.revision) say(turn, seen === undefined ? "begun" : "changed", record);
  }
  for (const [mute, seen] of mutesSeen) {
    if (inForce.has(mute)) continue;
    mutesSeen.delete(mute);
    const held = state.ledger.records.get(`s/${mute}`);
    if (held?.t === "mute" && held.ended) say(turn, "lifted", held);
    else say(turn, "over", seen);
  }
}

/** At the start: what holds already has not begun just now. */
export function rememberMutes({ state, env }: Turn): void {
  for (const record of mutesInForce(state.ledger, env.wall)) state.notify.mutesSeen.set(record.mute, record);
}

function say(turn: Turn, phase: "begun" | "changed" | "lifted" | "over", record: MuteRecord): void {
  const { mute, purpose, subject, matcher, until, by, why } = record;
  const about = subject === undefined ? matcherWords(matcher) : nameOf(turn.state, subject);
  const end = until === undefined ? {} : { until };
  notice(turn, { type: "mute", phase, purpose, mute, about, by, why, ...end });
}

/** As a person writes it: `node=pve*,kind=link-problem`, or `all`. */
export function matcherWords({ node, kind, severity }: Matcher): string {
  const words = Object.entries({ node, kind, severity }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${value}`],
  );
  return words.length === 0 ? "all" : words.join();
}
