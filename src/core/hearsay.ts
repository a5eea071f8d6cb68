/** Of members that others watch a node knows what they say: what it believes, and what it looks into itself. */
import { between } from "../kit/time.ts";
import { isAbsence, openAbsences } from "./incidents.ts";
import { HEARSAY_AGAIN } from "./limits.ts";
import type { Condition, Peer } from "./peer.ts";
import { assignRoles, takeUp } from "./roles.ts";
import { become, nameOf, type Turn } from "./state.ts";
import type { Verdict } from "./types.ts";
import { suspect } from "./watch.ts";

/** Who watches whom is settled anew. Whom it has just heard itself, this node knows to live, whatever others say. */
export function settleRoles(turn: Turn): void {
  for (const peer of assignRoles(turn)) if (peer.condition.kind === "down") followOthers(turn, peer);
}

/** What the ledger says about one that this node does not watch has changed. */
export function followOthers(turn: Turn, peer: Peer): void {
  if (peer.watchedSince !== undefined) return;
  const absence = openAbsences(turn, peer.id).find(({ incarnation }) => incarnation >= peer.incarnation);
  const { condition } = peer;
  if (absence === undefined) {
    if (condition.kind === "down") become(turn, peer, { kind: "alive" }, "others hear it again");
    return;
  }
  // Whoever has not been heard yet may be back already.
  if (condition.kind !== "alive" && condition.kind !== "down") return;
  if (absence.verdict === "unreachable" && condition.kind === "alive" && peer.session !== undefined) {
    // Its observers are too few to be sure, and it may be they who are cut off.
    takeUp(turn, peer);
    suspect(turn, peer, "silence");
    return;
  }
  const down: Condition = {
    kind: "down",
    verdict: downOf(absence.verdict),
    incarnation: absence.incarnation,
    reprobeAt: turn.env.now,
    probes: new Map(),
    kernel: undefined,
    enter: undefined,
    inquiry: undefined,
    doubtAt: undefined,
  };
  become(turn, peer, down, `says ${nameOf(turn.state, absence.by)}`);
}

/**
 * Whose death stands in the ledger although this node has heard it since: were it back, it would have been heard
 * again, and its observers would have said so. What was heard may have been on its way for long.
 */
export function reviewHearsay(turn: Turn): void {
  const { state, env } = turn;
  for (const open of state.ledger.open.values()) {
    const peer = state.peers.get(open.subject);
    if (peer?.heardAt === undefined || peer.condition.kind !== "alive") continue;
    if (!isAbsence(open) || open.verdict === "unreachable") continue;
    if (between(peer.heardAt, env.now) >= HEARSAY_AGAIN) followOthers(turn, peer);
  }
}

type Down = Extract<Condition, { kind: "down" }>["verdict"];

const downOf = (verdict: Verdict): Down =>
  verdict === "unreachable" || verdict === "daemon-down" || verdict === "missing" ? verdict : "host-down";
