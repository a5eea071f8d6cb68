/** Real transports on loopback addresses of their own, with their events at hand. */
import { randomInt } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { createMeshTransport, type MeshTransport } from "../../src/adapters/mesh/mesh-transport.ts";
import type { TransportEvent } from "../../src/core/io.ts";
import type { Beat, Envelope } from "../../src/core/messages.ts";
import type { Address } from "../../src/core/types.ts";
import type { TrustView } from "../../src/ports/transport.ts";
import { type TestIdentity, type TestMesh, testIdentity, testMesh, trustOf } from "./mesh-identities.ts";

export const PORT = 7654;
const AWAIT_MS = 8000;

/** Nobody else's: tests run side by side. */
export const freshHost = (): string => `127.${randomInt(16, 250)}.${randomInt(1, 250)}.${randomInt(1, 250)}`;

export interface TestNode {
  readonly identity: TestIdentity;
  readonly host: string;
  readonly address: Address;
  readonly transport: MeshTransport;
  readonly events: TransportEvent[];
  /** The first event, past or future, that fits. */
  event<T extends TransportEvent["type"]>(
    type: T,
    fits?: (event: Extract<TransportEvent, { type: T }>) => boolean,
  ): Promise<Extract<TransportEvent, { type: T }>>;
}

export interface NodeWishes {
  readonly trust?: TrustView;
  readonly onJoin?: (socket: TLSSocket) => void;
  readonly host?: string;
  readonly address?: Address;
}

export async function startNode(identity: TestIdentity, wishes: NodeWishes = {}): Promise<TestNode> {
  const host = wishes.host ?? freshHost();
  const events: TransportEvent[] = [];
  const waiting = new Set<() => void>();
  const transport = createMeshTransport({
    keyPem: identity.keyPem,
    certificatePem: identity.certificatePem,
    onEvent: (event) => {
      events.push(event);
      for (const look of [...waiting]) look();
    },
    ...(wishes.onJoin === undefined ? {} : { onJoin: wishes.onJoin }),
  });
  if (wishes.trust !== undefined) transport.trust(wishes.trust);
  const address = wishes.address ?? (`${host}:${PORT}` as Address);
  await transport.listen([address]);
  const event: TestNode["event"] = (type, fits = () => true) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = events.find((each) => each.type === type && fits(each as never));
        if (found === undefined) return;
        waiting.delete(look);
        clearTimeout(timer);
        resolve(found as never);
      };
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`no ${type} in time; came: ${JSON.stringify(events)}`));
      }, AWAIT_MS);
      waiting.add(look);
      look();
    });
  return { identity, host, address, transport, events, event };
}

export interface Pair {
  readonly mesh: TestMesh;
  /** Has the lower id. */
  readonly a: TestNode;
  readonly b: TestNode;
}

/** Two nodes that trust each other and have no session yet. */
export async function startPair(): Promise<Pair> {
  const mesh = await testMesh();
  const [first, second] = await Promise.all([testIdentity(mesh, "a"), testIdentity(mesh, "b")]);
  const [low, high] = first.id < second.id ? [first, second] : [second, first];
  const a = await startNode(low, { trust: trustOf(mesh, low, [high]) });
  const b = await startNode(high, { trust: trustOf(mesh, high, [low]) });
  return { mesh, a, b };
}

/** Dials and waits for both ends; gives the session's name. */
export async function connect(from: TestNode, to: TestNode): Promise<string> {
  from.transport.dial(to.identity.id, to.address);
  const known = new Set(
    [...from.events, ...to.events].flatMap((e) => (e.type === "session-up" ? [e.session] : [])),
  );
  const up = await from.event(
    "session-up",
    ({ peer, session }) => peer === to.identity.id && !known.has(session),
  );
  await to.event("session-up", ({ session }) => session === up.session);
  return up.session;
}

export const beat = (seq: number): Envelope => ({ message: beatMessage(seq) });
export const beatMessage = (seq: number): Beat => ({
  t: "beat",
  seq,
  incarnation: 3,
  boot: "0d4c0a1e-1111-4222-8333-444444444444",
  period: 200,
  heard: 12,
  view: "alive",
  viewIncarnation: 2,
  roster: { generation: 1, term: 1, opener: "opener-a", epoch: 4 },
  ledger: "0123456789abcdef0123456789abcdef",
  wall: 1_766_000_000_000,
});
