/** What the daemon does with peers by itself, beside the core: reaching one for a question, and parting. */
import type { NodeState } from "../core/node.ts";
import { isInForce } from "../core/pki/renewal.ts";
import type { NodeId } from "../core/types.ts";
import type { Failure } from "../kit/result.ts";
import { type WallTime, wallTime } from "../kit/time.ts";
import type { PeerTransport } from "../ports/transport.ts";
import type { Roster } from "../wire/roster.ts";
import type { Identity } from "./identity.ts";
import { REJOIN_REMEDY, removalWords } from "./removal.ts";

/** How long a session with a peer may take to stand. */
const REACH_MS_MAX = 3000;
const REACH_LOOK_MS = 25;

interface Surroundings {
  readonly state: () => NodeState;
  readonly transport: Pick<PeerTransport, "dial">;
}

/** In a large mesh not everyone has a session with everyone: makes one where there is none. */
export async function reachPeer(id: NodeId, { state, transport }: Surroundings): Promise<boolean> {
  const has = (): boolean => state().peers.get(id)?.session !== undefined;
  if (has()) return true;
  for (const address of state().peers.get(id)?.member.addresses ?? []) transport.dial(id, address);
  for (let waited = 0; waited < REACH_MS_MAX && state().peers.has(id) && !has(); waited += REACH_LOOK_MS)
    await new Promise((resolve) => setTimeout(resolve, REACH_LOOK_MS));
  return has();
}

/** With whom there is a session. */
export const sessionsOf = ({ peers }: NodeState): ReadonlySet<NodeId> =>
  new Set([...peers.values()].flatMap(({ id, session }) => (session === undefined ? [] : [id])));

/** Whoever has a session is dialled once more: the new connection takes the old one's place when it stands. */
export function dialAnew({
  state,
  transport,
}: {
  readonly state: NodeState;
  readonly transport: Pick<PeerTransport, "dial">;
}): void {
  for (const { id, session, member } of state.peers.values()) {
    const [address] = member.addresses;
    if (session !== undefined && address !== undefined) transport.dial(id, address);
  }
}

/**
 * On the keymaster: a member whose certificate is in force. Its session may be older than its last
 * renewal, or than its certificate's end.
 */
export function mayConfigure(
  peer: NodeId,
  {
    identity,
    state,
    wall,
  }: { readonly identity: Identity; readonly state: NodeState; readonly wall: WallTime },
): boolean {
  const session = state.peers.get(peer)?.session;
  if (session === undefined) return false;
  if (!session.certificateFlagged && session.certificateExpires >= wall) return true;
  const issued = identity.seat.current()?.issuedTo(peer);
  if (issued !== undefined) return isInForce(issued, wall);
  const listed = identity.keeper.current().roster.nodes.find(({ id }) => id === peer);
  const { certificateBegins: begins, certificateExpires: ends } = listed ?? {};
  if (begins === undefined || ends === undefined) return false;
  return isInForce({ notBefore: wallTime(Date.parse(begins)), notAfter: wallTime(Date.parse(ends)) }, wall);
}

interface Departures {
  readonly roster: Roster;
  readonly encoded: string;
  readonly state: NodeState;
  readonly transport: Pick<PeerTransport, "send">;
}

/** Before those who have left are cut off they are sent the roster that says so: signed, it is proof to them. */
export function announceDepartures(departures: Departures): void {
  sendRoster(departures, departing(departures));
}

/**
 * The keymaster sends its own to everyone else as well, so that nobody waits for a neighbour's beat and it is
 * out even if the keymaster dies right away. So does who has just become keymaster (`begins`): what it voids is
 * void at once.
 */
export function announceToAll(departures: Departures, begins: boolean): void {
  if (begins || departing(departures).length > 0) sendRoster(departures, departures.state.peers.keys());
}

function departing({ roster, state }: Departures): NodeId[] {
  const present = new Set(roster.nodes.map(({ id }) => id));
  return [...state.peers.keys()].filter((id) => !present.has(id));
}

function sendRoster({ encoded, transport }: Departures, to: Iterable<NodeId>): void {
  const message = { t: "roster", signed: encoded } as const;
  for (const id of to) transport.send(id, "stream", { message });
}

/** Resolves with what this node is to say when it was removed from its mesh. */
export function watchDeparture({ keeper, id, certificate }: Identity): Promise<Failure> {
  return new Promise((resolve) => {
    keeper.onChange(({ roster }) => {
      if (roster.nodes.some((node) => node.id === id)) return;
      const revoked = roster.revoked.find(({ pin }) => pin === certificate.pin);
      // Nobody removed it: it was let in by a keymaster that has lost, and waits for a person's word.
      if (revoked === undefined) return;
      resolve({ code: "node-removed", message: removalWords(revoked), remedy: REJOIN_REMEDY, retry: false });
    });
  });
}
