/** What the daemon knows of certificates and people should: that its own is late, and that a key was revoked. */
import { episode, openIncident, openOf, resolveIncident } from "./incidents.ts";
import type { Input } from "./io.ts";
import { nameOf, type Turn } from "./state.ts";

type Late = Extract<Input, { type: "certificate" }>;
type Revoked = Extract<Input, { type: "revoked" }>;

export const takeCertificateNews = (turn: Turn, news: Late | Revoked): void =>
  news.type === "revoked" ? noteRevoked(turn, news) : judgeOwn(turn, news);

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
