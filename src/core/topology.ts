/**
 * Who watches whom, from the roster alone: every node computes the same picture. Up to twelve nodes
 * watch one another, all of them. Above that there are ten rings: five orders of the members by
 * hash, each walked in both directions, so that whom a node watches also watches it, over one
 * connection. The union of random rings is an expander: well connected, whoever fails.
 */
import { hashParts } from "../kit/hash.ts";
import type { MeshId, NodeId } from "./types.ts";

/** Up to this many members everyone watches everyone. */
export const FULL_MESH_MAX = 12;
/** Each is walked in both directions. */
const ORDERS = 5;
/** Hex digits of a member's hash that place it in one order. */
const PLACE_DIGITS = 12;
/** Members that are neighbours in an earlier ring are parted in so many rounds, or not at all. */
const ROUNDS_MAX = 8;
/** Other orders are tried this often where two members would meet in more than one ring. */
const SALTS_MAX = 32;

export interface Topology {
  /** Circular orders of all members. */
  readonly rings: readonly (readonly NodeId[])[];
  /** How many members that are present a walk in one direction meets before it ends. */
  readonly reach: number;
  readonly places: readonly ReadonlyMap<NodeId, number>[];
}

export function arrange(mesh: MeshId, members: readonly NodeId[]): Topology {
  const sorted = [...members].sort();
  if (sorted.length <= FULL_MESH_MAX) return topologyOf([sorted], sorted.length);
  let best = orders(mesh, sorted, 0);
  // A few members leave little choice; more never need a second try.
  for (let salt = 1; best.repeats > 0 && salt < SALTS_MAX; salt += 1) {
    const other = orders(mesh, sorted, salt);
    if (other.repeats < best.repeats) best = other;
  }
  return topologyOf(best.rings, 1);
}

const topologyOf = (rings: readonly (readonly NodeId[])[], reach: number): Topology => ({
  rings,
  reach,
  places: rings.map((ring) => new Map(ring.map((id, place) => [id, place]))),
});

/**
 * Whom the node watches, and who watches it. Each walk passes over members that are not present and
 * takes them along, so that somebody present is met in every direction as long as there is anybody.
 */
export function neighboursOf(
  { rings, reach, places }: Topology,
  node: NodeId,
  isPresent: (member: NodeId) => boolean,
): Set<NodeId> {
  const met = new Set<NodeId>();
  rings.forEach((ring, index) => {
    const from = places[index]?.get(node);
    if (from === undefined) return;
    for (const direction of [1, -1]) walk(ring, from, direction, reach, isPresent, met);
  });
  return met;
}

function walk(
  ring: readonly NodeId[],
  from: number,
  direction: number,
  reach: number,
  isPresent: (member: NodeId) => boolean,
  met: Set<NodeId>,
): void {
  let left = reach;
  for (let steps = 1; steps < ring.length && left > 0; steps += 1) {
    const member = ring[(from + direction * steps + ring.length) % ring.length];
    if (member === undefined) return;
    met.add(member);
    if (isPresent(member)) left -= 1;
  }
}

interface Orders {
  readonly rings: NodeId[][];
  /** Neighbourhoods that a member has in more than one ring. */
  readonly repeats: number;
}

function orders(mesh: MeshId, members: readonly NodeId[], salt: number): Orders {
  const taken = new Set<number>();
  const places = members.map((id) => hashParts("balefire-rings-1", mesh, String(salt), id));
  const rings: NodeId[][] = [];
  let repeats = 0;
  for (let order = 0; order < ORDERS; order += 1) {
    const ring = ringOf(places, order);
    repeats += separate(ring, taken);
    for (let at = 0; at < ring.length; at += 1) taken.add(pairAt(ring, at));
    rings.push(ring.map((index) => members[index] ?? ""));
  }
  return { rings, repeats };
}

/** Indices of the members in the order of one part of their hashes. */
function ringOf(hashes: readonly string[], order: number): number[] {
  const start = order * PLACE_DIGITS;
  const places = hashes.map((hash) => hash.slice(start, start + PLACE_DIGITS));
  return places
    .map((_, index) => index)
    .sort((a, b) => ((places[a] ?? "") < (places[b] ?? "") ? -1 : places[a] === places[b] ? a - b : 1));
}

const memberAt = (ring: readonly number[], place: number): number => ring[place % ring.length] ?? 0;

const pairOf = (ring: readonly number[], a: number, b: number): number =>
  a < b ? a * ring.length + b : b * ring.length + a;

/** The pair of neighbours that begins at this place. */
const pairAt = (ring: readonly number[], place: number): number =>
  pairOf(ring, memberAt(ring, place), memberAt(ring, place + 1));

/**
 * Two members that are neighbours in an earlier ring are parted in this one: the stretch between
 * them and the nearest other pair with which that works is turned around, which changes these two
 * pairs only. Returns how many repeats the last round found.
 */
function separate(ring: number[], taken: ReadonlySet<number>): number {
  let repeats = 0;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    repeats = 0;
    for (let at = 0; at < ring.length; at += 1) {
      if (!taken.has(pairAt(ring, at))) continue;
      repeats += 1;
      // A stretch may reach around into what this round has passed: the next round finds what is left.
      part(ring, at, taken);
    }
    if (repeats === 0) break;
  }
  return repeats;
}

function part(ring: number[], at: number, taken: ReadonlySet<number>): void {
  const first = memberAt(ring, at);
  const second = memberAt(ring, at + 1);
  for (let end = at + 2; end < at + ring.length - 1; end += 1) {
    const nowFirst = pairOf(ring, first, memberAt(ring, end));
    const nowSecond = pairOf(ring, second, memberAt(ring, end + 1));
    if (taken.has(nowFirst) || taken.has(nowSecond)) continue;
    turnAround(ring, at + 1, end);
    return;
  }
}

/** Reverses the stretch between two places; it may run over the end of the array. */
function turnAround(ring: number[], from: number, to: number): void {
  for (let low = from, high = to; low < high; low += 1, high -= 1) {
    const kept = memberAt(ring, low);
    ring[low % ring.length] = memberAt(ring, high);
    ring[high % ring.length] = kept;
  }
}
