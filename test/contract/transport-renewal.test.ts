/** A certificate that is exchanged while sessions stand, and a member that comes back without its place. */
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { PeerTransport } from "../../src/ports/transport.ts";
import { type TestIdentity, type TestMesh, testIdentity, testMesh, trustOf } from "./mesh-identities.ts";
import { beat, connect, startNode, type TestNode } from "./mesh-rig.ts";

let mesh: TestMesh;
let [low, high]: TestIdentity[] = [];
let [a, b]: TestNode[] = [];

beforeEach(async () => {
  mesh = await testMesh();
  const made = await Promise.all([testIdentity(mesh, "a"), testIdentity(mesh, "b")]);
  [low, high] = made[0].id < made[1].id ? made : [made[1], made[0]];
  a = await startNode(given(low), { trust: trustOf(mesh, given(low), [given(high)]) });
  b = await startNode(given(high), { trust: trustOf(mesh, given(high), [given(low)]) });
});
afterEach(() => Promise.all([a?.transport.close(), b?.transport.close()]));

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the rig is not there");
  return value;
}
/** `a` no longer trusts `b`, and can prove why. */
const dismiss = (trust: Partial<Parameters<PeerTransport["trust"]>[0]> = {}): void =>
  given(a).transport.trust({ ...trustOf(mesh, given(low), []), dismissal: "the signed roster", ...trust });

test("sessions go on when the certificate is exchanged, and a new connection shows the new one", async () => {
  const [first, second] = [given(a), given(b)];
  const name = await connect(first, second);
  const shown = given(second.transport.certificates().get(first.identity.id)).serialNumber;
  const renewed = await testIdentity(mesh, "renewed", { id: first.identity.id, keys: first.identity.keys });
  first.transport.present(renewed.certificatePem);
  first.transport.send(second.identity.id, "stream", beat(1));
  expect(await second.event("received")).toMatchObject({ session: name });
  expect(first.events.filter(({ type }) => type === "session-down")).toEqual([]);
  const again = await connect(first, second);
  expect(again).not.toBe(name);
  expect(given(second.transport.certificates().get(first.identity.id)).serialNumber).not.toBe(shown);
});

test("a member that was removed while it was off is given the roster that says so, and no session", async () => {
  const [first, second] = [given(a), given(b)];
  dismiss();
  second.transport.dial(first.identity.id, first.address);
  const news = await second.event("received");
  expect(news.envelope.message).toEqual({ t: "roster", signed: "the signed roster" });
  expect(await second.event("session-down")).toMatchObject({ end: "revoked" });
  expect((await first.event("refused")).failure.message).toContain("is not in the roster");
  expect(first.events.filter(({ type }) => type === "session-up" || type === "received")).toEqual([]);
  expect(first.transport.stats().sessions).toBe(0);
});

test("a key that somebody else may hold is told nothing: the roster says what was changed because of it", async () => {
  const [first, second] = [given(a), given(b)];
  dismiss({ untold: [second.identity.pin] });
  second.transport.dial(first.identity.id, first.address);
  await second.event("dial-failed");
  expect(second.events.filter(({ type }) => type === "received")).toEqual([]);
});

test("whom another root or another mesh has certified is told nothing", async () => {
  const [first, second] = [given(a), given(b)];
  dismiss({ mesh: randomUUID() });
  second.transport.dial(first.identity.id, first.address);
  await second.event("dial-failed");
  expect(second.events.filter(({ type }) => type === "received")).toEqual([]);
});
