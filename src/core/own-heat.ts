/** A host's own sensors: judged here, entered as incidents, shown to the others. */
import { after } from "../kit/time.ts";
import { episode, openIncident, openOf, resolveIncident } from "./incidents.ts";
import type { Input } from "./io.ts";
import { openAbout } from "./ledger.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import { CAUSE_WITHIN } from "./limits.ts";
import type { FarewellReason } from "./messages.ts";
import { shareOwnReadings } from "./readings-news.ts";
import { nameOf, type Turn } from "./state.ts";
import { pastCritical } from "./thermal/felt.ts";
import {
  type HeatChange,
  heatTopic,
  judgeHeat,
  LOST_SUSTAIN,
  resumeTroubles,
  sensorKey,
} from "./thermal/heat.ts";

type Looked = Extract<Input, { type: "readings" }>;

export function takeReadings(turn: Turn, { readings, unwatched }: Looked): void {
  const { state, env } = turn;
  const own = openAbout(state.ledger, state.self).filter(({ kind }) => kind === "heat");
  if (unwatched === true) {
    for (const open of own) resolveIncident(turn, open, "returned");
    state.heat.watched.clear();
  }
  const isOpen = (topic: string): boolean => own.some((each) => each.topic === topic);
  for (const reading of readings) resumeTroubles(state.heat, reading, isOpen);
  const host = nameOf(state, state.self);
  const changes = judgeHeat(state.heat, readings, { host, policy: state.policy.heat }, env.now);
  for (const change of changes) enter(turn, host, change);
  forgetGone(turn, own);
  shareOwnReadings(turn, readings);
}

/** What was open about a sensor that this daemon has never seen: it was taken out while the host was off. */
function forgetGone(turn: Turn, own: readonly IncidentRecord[]): void {
  const { heat } = turn.state;
  heat.begunAt ??= turn.env.now;
  if (own.length === 0 || turn.env.now < after(heat.begunAt, LOST_SUSTAIN)) return;
  const known = new Set([...heat.watched.keys()].map(sensorKey));
  for (const open of own)
    if (!known.has(open.topic?.split(" ")[0] ?? "")) resolveIncident(turn, open, "replaced");
}

/** A host that switches off while it is past critical does so for that, whoever gave the order. */
export function farewellReason({ state }: Turn, why: FarewellReason | undefined): FarewellReason | undefined {
  if (why !== "shutdown") return why;
  const box = state.senses.boxes.get(state.self) ?? [];
  const host = nameOf(state, state.self);
  return pastCritical(box, CAUSE_WITHIN, host, state.policy.heat).length > 0 ? "thermal" : why;
}

function enter(turn: Turn, host: string, { sensor, trouble, begins, detail }: HeatChange): void {
  const { state, env } = turn;
  const topic = heatTopic(sensor, trouble);
  const open = openOf(turn, "heat", state.self, topic);
  if (!begins) {
    if (open !== undefined) resolveIncident(turn, open, "returned");
    return;
  }
  openIncident(turn, {
    kind: "heat",
    subject: state.self,
    name: host,
    incarnation: episode(turn, "heat", state.self, topic),
    verdict: "alive",
    since: env.wall,
    topic,
    detail,
  });
}
