/** What the daemon knows of keys and people should: a late certificate or change of roots, and that a key was revoked. */
import { episode, openIncident, openOf, resolveIncident } from "./incidents.ts";
import type { Input } from "./io.ts";
import { DETAIL_MAX } from "./limits.ts";
import { ROOT_CHANGE_TOPIC } from "./pki/rotation.ts";
import { nameOf, type Turn } from "./state.ts";

type Late = Extract<Input, { type: "certificate" }>;
type RootChange = Extract<Input, { type: "root-change" }>;
type Revoked = Extract<Input, { type: "revoked" }>;

export function takeCertificateNews(turn: Turn, news: Late | RootChange | Revoked): void {
  if (news.type === "revoked") noteRevoked(turn, news);
  else if (news.type === "root-change") judgeRootChange(turn, news);
  else judgeOwn(turn, news);
}

function judgeOwn(turn: Turn, { late }: Late): void {
  const { state, env } = turn;
  const open = openOf(turn, "certificate", state.self);
  if (late === undefined) {
    if (open !== undefined) resolveIncident(turn, open, "returned");
    return;
  }
  if (open !== undefined) return;
  openIncident(turn, {
    kind: "certificate",
    subject: state.self,
    name: nameOf(state, state.self),
    incarnation: episode(turn, "certificate", state.self),
    verdict: "alive",
    since: env.wall,
    detail: late,
  });
}

/** There is one at most in a mesh: whoever drives it now goes on with what who drove it before has opened. */
function judgeRootChange(turn: Turn, { late }: RootChange): void {
  const { state } = turn;
  const topic = ROOT_CHANGE_TOPIC;
  const open = [...state.ledger.open.values()].filter(
    (each) => each.kind === "certificate" && each.topic === topic,
  );
  if (late === undefined) for (const each of open) resolveIncident(turn, each, "returned");
  if (late === undefined || open.length > 0) return;
  openIncident(turn, {
    kind: "certificate",
    subject: state.self,
    name: nameOf(state, state.self),
    incarnation: episode(turn, "certificate", state.self, topic),
    verdict: "alive",
    since: late.since,
    topic,
    detail: late.words.slice(0, DETAIL_MAX),
  });
}

/** Of a subject that has left: a note, since what is open about such a one ends at once. */
function noteRevoked(turn: Turn, { node, name, why }: Revoked): void {
  const { wall } = turn.env;
  openIncident(turn, {
    kind: "revoked",
    subject: node,
    name,
    incarnation: 0,
    verdict: "alive",
    since: wall,
    until: wall,
    ...(why === "" ? {} : { detail: why }),
  });
}
