/**
 * Who watches whom now. A node watches its neighbours in the topology; from where it knows one to be
 * away it walks on to the next. Of members that others watch it knows what they say: they count as
 * alive until an incident about them is open.
 */
import { after, between, type Instant, later } from "../kit/time.ts";
import { sendBeat } from "./beats.ts";
import { openAbsences } from "./incidents.ts";
import {
  ACQUAINTANCE,
  ANSWER_PATIENCE,
  ASKED_IN_VAIN_MAX,
  QUIET_BEAT_EVERY,
  SESSIONS_WITH_ALL_MAX,
} from "./limits.ts";
import { inquiryOf, type Peer, silenceAllowed } from "./peer.ts";
import { isAway, type NodeState, type Turn } from "./state.ts";
import { arrange, neighboursOf, type Topology } from "./topology.ts";
import type { Member, NodeId } from "./types.ts";

/** Many cores in one process, as in the simulator, are given the same roster. */
const drawn = new WeakMap<readonly Member[], Topology>();

/** After another roster: the picture that it makes. */
export function drawTopology(state: NodeState): void {
  const { mesh, members } = state.roster;
  const ids = members.map(({ id }) => id);
  state.topology = drawn.get(members) ?? arrange(mesh, ids);
  drawn.set(members, state.topology);
  state.rolesStale = true;
  state.company = ids.length <= SESSIONS_WITH_ALL_MAX ? undefined : companyOf(state);
  const isMember = (peer: Peer): boolean => state.peers.get(peer.id) === peer;
  for (const group of [state.watched, state.acquaintances, state.owing])
    for (const peer of group) if (!isMember(peer)) group.delete(peer);
  for (const peer of state.peers.values()) if (keepsCompany(state, peer.id)) state.acquaintances.add(peer);
}

/** Its neighbours and theirs: the other observers of whom it watches. */
function companyOf({ topology, self }: NodeState): Set<NodeId> {
  const everyone = (): boolean => true;
  const neighbours = neighboursOf(topology, self, everyone);
  const company = new Set(neighbours);
  for (const neighbour of neighbours)
    for (const other of neighboursOf(topology, neighbour, everyone)) company.add(other);
  company.delete(self);
  return company;
}

/** Whether a session with it is kept although neither watches the other. */
export const keepsCompany = ({ company }: NodeState, peer: NodeId): boolean =>
  company === undefined || company.has(peer);

/** With whom this node has nothing to do lives, unless those who watch it say otherwise. */
export function trustStrangers(state: NodeState): void {
  for (const peer of state.peers.values()) {
    const isStranger = peer.condition.kind === "unknown" && !keepsCompany(state, peer.id);
    if (isStranger && openAbsences({ state }, peer.id).length === 0) peer.condition = { kind: "alive" };
  }
}

/** Not known to be away: it can be expected to watch its neighbours. */
function isPresent(state: NodeState, member: NodeId): boolean {
  if (member === state.self) return true;
  const condition = state.peers.get(member)?.condition;
  if (condition === undefined || isAway(condition)) return false;
  return condition.kind !== "unknown" || openAbsences({ state }, member).length === 0;
}

/** Who observes the subject, as far as this node can tell; those who did and are away are among them. */
export function observersOf(state: NodeState, subject: NodeId): ReadonlySet<NodeId> {
  const known = state.rolesStale ? undefined : state.observers.get(subject);
  if (known !== undefined) return known;
  const observers = neighboursOf(state.topology, subject, (member) => isPresent(state, member));
  // It may watch one whose own observers do not answer.
  observers.add(state.self);
  if (!state.rolesStale) state.observers.set(subject, observers);
  return observers;
}

/** Brings whom this node watches up to date with who is present; returns whom it leaves to others. */
export function assignRoles(turn: Turn): readonly Peer[] {
  const { state } = turn;
  if (!state.rolesStale) return [];
  state.rolesStale = false;
  state.observers.clear();
  const left: Peer[] = [];
  const neighbours = neighboursOf(state.topology, state.self, (member) => isPresent(state, member));
  for (const peer of state.peers.values()) {
    const isWatched = peer.watchedSince !== undefined;
    if (neighbours.has(peer.id)) {
      if (!isWatched) takeUp(turn, peer);
    } else if (isWatched && !isInDoubt(peer)) {
      // A doubt is looked into to its end by whoever has it.
      letGo(turn, peer);
      left.push(peer);
    }
  }
  return left;
}

const isInDoubt = (peer: Peer): boolean =>
  inquiryOf(peer) !== undefined || (peer.condition.kind === "down" && peer.condition.enter !== undefined);

/** From now on this node listens for its beats; the first beat says so. */
export function takeUp(turn: Turn, peer: Peer): void {
  peer.watchedSince = turn.env.now;
  turn.state.watched.add(peer);
  turn.state.acquaintances.add(peer);
  if (peer.session !== undefined) sendBeat(turn, peer, peer.session);
}

function letGo(turn: Turn, peer: Peer): void {
  peer.watchedSince = undefined;
  // Its beats come too rarely now to show that their ledgers agree.
  peer.ledgerDiffersSince = undefined;
  turn.state.watched.delete(peer);
  peer.quietBeatAt = after(turn.env.now, QUIET_BEAT_EVERY);
  if (peer.session !== undefined) sendBeat(turn, peer, peer.session);
}

/** When the silence of one that is watched becomes a doubt. */
export function silenceEndsAt(peer: Peer): Instant | undefined {
  const { heardAt, watchedSince } = peer;
  if (watchedSince === undefined) return undefined;
  return heardAt === undefined
    ? after(watchedSince, ACQUAINTANCE)
    : after(later(heardAt, watchedSince), silenceAllowed(peer));
}

/** Observers whose answers about `subject` are waited for: alive to this node and connected. */
export function livingObservers({ state }: Turn, subject: NodeId): NodeId[] {
  const living: NodeId[] = [];
  const observers = observersOf(state, subject);
  for (const peer of state.peers.values()) {
    if (observers.has(peer.id) && peer.session !== undefined && peer.condition.kind === "alive")
      living.push(peer.id);
  }
  return living;
}

/** Asked about another, and silent so far. */
export function noteAsked({ state, env: { now } }: Turn, peer: Peer): void {
  if (peer.watchedSince !== undefined) return;
  state.owing.add(peer);
  const { unanswered } = peer;
  if (unanswered === undefined || between(unanswered.lastAt, now) > ANSWER_PATIENCE)
    peer.unanswered = { since: now, lastAt: now, count: 1 };
  else peer.unanswered = { ...unanswered, lastAt: now, count: unanswered.count + 1 };
}

/** It has spoken. */
export function forgetAsked({ state }: Turn, peer: Peer): void {
  if (peer.unanswered === undefined) return;
  peer.unanswered = undefined;
  state.owing.delete(peer);
}

/** Asked often enough in vain. */
export function isMute(peer: Peer, now: Instant): boolean {
  const { unanswered } = peer;
  if (unanswered === undefined || unanswered.count < ASKED_IN_VAIN_MAX) return false;
  if (peer.watchedSince !== undefined || peer.condition.kind !== "alive") return false;
  return between(unanswered.since, now) >= ANSWER_PATIENCE;
}
