/**
 * The other addresses of peers that have several: tried at once when the one in use falls silent,
 * and looked at now and then, so that a lost network has a name before the other one is lost too.
 */
import { after, between, type Duration, earlier, type Instant, type WallTime } from "../kit/time.ts";
import { episode, openIncident, openOf, resolveIncident } from "./incidents.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import {
  PATH_CHECK_AGAIN,
  PATH_CHECK_EVERY,
  PATH_CONFIRM,
  PATH_DEFERENCE,
  PROBE_PATIENCE,
} from "./limits.ts";
import { isPath, pathAddress, pathTopic } from "./path-topic.ts";
import type { PathCheck, Peer } from "./peer.ts";
import type { NodeState, Turn } from "./state.ts";
import type { Address, ProbeOutcome } from "./types.ts";

const hostOf = (address: Address): string => address.slice(0, address.lastIndexOf(":"));

/** The peer's own address that its session runs over; whoever was dialled sees another port of it. */
export function addressInUse({ member, session }: Peer): Address | undefined {
  if (session === undefined) return undefined;
  return member.addresses.find((address) => hostOf(address) === hostOf(session.address));
}

/** The network of the session may be lost and the other not: dialled before anything is concluded, by either side. */
export function tryOtherAddresses(turn: Turn, peer: Peer): void {
  const inUse = addressInUse(peer);
  if (peer.member.addresses.length < 2) return;
  for (const address of peer.member.addresses)
    if (address !== inUse) turn.effects.push({ type: "dial", peer: peer.id, address });
}

/** Looks at what is due, opens what is confirmed, and ends what is over. */
export function reviewPaths(turn: Turn): void {
  for (const peer of turn.state.acquaintances) {
    if (peer.member.addresses.length < 2 && peer.paths.size === 0) continue;
    keepChecks(turn, peer);
    for (const [address, check] of peer.paths) {
      if (check.nextAt <= turn.env.now) look(turn, peer, address, check);
      if (isLost(check, turn.env.now)) nameLost(turn, peer, address, check);
    }
  }
  for (const open of turn.state.ledger.open.values()) if (isPath(open)) endIfOver(turn, open);
}

/** One check for each address that is not in use, while the peer is heard; new ones begin within moments. */
function keepChecks({ env }: Turn, peer: Peer): void {
  const { addresses } = peer.member;
  const isKept = peer.condition.kind === "alive" && peer.watchedSince !== undefined;
  const inUse = isKept ? addressInUse(peer) : undefined;
  for (const address of peer.paths.keys())
    if (inUse === undefined || address === inUse || !addresses.includes(address)) peer.paths.delete(address);
  if (inUse === undefined) return;
  for (const address of addresses) {
    if (address === inUse || peer.paths.has(address)) continue;
    const nextAt = after(env.now, (PATH_CHECK_AGAIN * env.random.next()) as Duration);
    peer.paths.set(address, { nextAt, silentSince: undefined, seenAt: undefined, backAt: undefined });
  }
}

function look(turn: Turn, peer: Peer, address: Address, check: PathCheck): void {
  const { now, random } = turn.env;
  const pause = check.silentSince === undefined ? PATH_CHECK_EVERY : PATH_CHECK_AGAIN;
  check.nextAt = after(now, (pause * (0.75 + 0.5 * random.next())) as Duration);
  turn.effects.push({ type: "probe", subject: peer.id, address, patience: PROBE_PATIENCE });
}

export function notePath(turn: Turn, peer: Peer, address: Address, outcome: ProbeOutcome): void {
  const check = peer.paths.get(address);
  const { now } = turn.env;
  if (check === undefined) return;
  check.seenAt = now;
  if (outcome !== "silent") {
    if (check.silentSince !== undefined) check.backAt = now;
    check.silentSince = undefined;
  } else if (check.silentSince === undefined) {
    check.silentSince = now;
    lookAtAll(turn);
    check.nextAt = after(now, PATH_CHECK_AGAIN);
  }
}

/** What is lost may be one address or the network: what answered half a minute ago does not say which. */
function lookAtAll({ state, env }: Turn): void {
  for (const peer of state.peers.values())
    for (const check of peer.paths.values()) check.nextAt = earlier(check.nextAt, env.now);
}

const isLost = ({ silentSince }: PathCheck, now: Instant): boolean =>
  silentSince !== undefined && between(silentSince, now) >= PATH_CONFIRM;

/** The same incident at all who miss it: a lost network of n hosts is n incidents. */
function nameLost(turn: Turn, peer: Peer, address: Address, check: PathCheck): void {
  const { state, env } = turn;
  const topic = pathTopic(address);
  if (openOf(turn, "link-problem", peer.id, topic) !== undefined) return;
  if (isRepairing(state, check)) return;
  const lostFor = between(check.silentSince ?? env.now, env.now);
  const all = missesAll(state);
  if (all && (lostFor < PATH_CONFIRM + PATH_DEFERENCE || isBlamed(state))) return;
  openIncident(turn, {
    kind: "link-problem",
    subject: peer.id,
    name: peer.member.name,
    incarnation: episode(turn, "link-problem", peer.id, topic),
    verdict: "link-problem",
    since: Math.max(0, env.wall - lostFor) as WallTime,
    topic,
    detail: `not reachable at ${address}${all ? NOR_ANYONE : ""}, heard by ${addressInUse(peer) ?? "another address"}`,
  });
}

/** Another address has come back since this one was looked at: so may this one have. */
function isRepairing(state: NodeState, { seenAt }: PathCheck): boolean {
  for (const peer of state.peers.values())
    for (const { backAt } of peer.paths.values())
      if (backAt !== undefined && (seenAt === undefined || backAt >= seenAt)) return true;
  return false;
}

/** No other address of anyone answers here: the fault may be this node's own. */
function missesAll(state: NodeState): boolean {
  for (const peer of state.peers.values())
    for (const check of peer.paths.values())
      if (check.seenAt !== undefined && check.silentSince === undefined) return false;
  return true;
}

/** In the words of an author that reaches nobody there: the fault may be its own. */
const NOR_ANYONE = " (nor is anyone else there)";

/** Somebody who reaches others misses this node: then the fault is here, and not with all of them. */
function isBlamed(state: NodeState): boolean {
  for (const open of state.ledger.open.values())
    if (open.subject === state.self && isPath(open) && open.detail?.includes(NOR_ANYONE) !== true)
      return true;
  return false;
}

/** Another node has reached an address again, or this node at one of its own: what was seen here before that counts no more. */
export function notePathBack({ state, env }: Turn, { subject, topic = "" }: IncidentRecord): void {
  const address = pathAddress({ topic });
  for (const peer of state.peers.values()) {
    for (const [each, check] of peer.paths) {
      const isConcerned = subject === state.self || (subject === peer.id && each === address);
      if (!isConcerned || check.silentSince === undefined) continue;
      check.silentSince = env.now;
      check.nextAt = env.now;
    }
  }
}

/** Another node misses an address: a look at all of them tells soon what is lost, and for whom. */
export function notePathOpened(turn: Turn, open: IncidentRecord): void {
  if (isPath(open)) lookAtAll(turn);
}

function endIfOver(turn: Turn, open: IncidentRecord): void {
  const peer = turn.state.peers.get(open.subject);
  if (peer === undefined) return;
  const address = pathAddress(open);
  const { kind } = peer.condition;
  if (kind === "down" || kind === "planned" || !peer.member.addresses.includes(address)) {
    resolveIncident(turn, open, "replaced");
    return;
  }
  // Others may reach what its author does not: while that one lives, the word is its own.
  const author = turn.state.peers.get(open.by);
  const isMine = open.by === turn.state.self || author === undefined || author.condition.kind === "down";
  if (isMine && answers(peer, address)) resolveIncident(turn, open, "returned");
  else if (open.by === turn.state.self && missesAll(turn.state) && isBlamed(turn.state))
    resolveIncident(turn, open, "replaced");
}

function answers(peer: Peer, address: Address): boolean {
  if (peer.condition.kind !== "alive") return false;
  const check = peer.paths.get(address);
  return check === undefined
    ? addressInUse(peer) === address
    : check.seenAt !== undefined && check.silentSince === undefined;
}
