/** What a node answers to who claims to be its keymaster. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Rig, rig, temporaryFolder } from "../../test/e2e/join-rig.ts";
import type { RequestMethod } from "../core/messages.ts";
import { failure, unwrap } from "../kit/result.ts";
import { wallTime } from "../kit/time.ts";
import { encodeSigned, type SignedRoster } from "../wire/roster.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { joinMesh } from "./join.ts";
import type { Answerer, Questions } from "./questions.ts";
import { openRootKey } from "./root-key.ts";
import { createCourier } from "./set-aside-courier.ts";
import { serveStandby } from "./standby-questions.ts";
import { addStandby } from "./takeover.ts";

const refusal = (code: string): object => ({ ok: false, error: { code } });

interface Served {
  readonly mesh: Rig;
  readonly node: Identity;
  ask(from: string, method: RequestMethod, body?: object): ReturnType<Answerer>;
}

async function served(): Promise<Served> {
  const mesh = await rig();
  const stateDir = join(await temporaryFolder(), "standby");
  unwrap(await joinMesh({ stateDir, token: await mesh.token("pve2"), addresses: ["127.0.0.2"] }));
  const node = unwrap(await loadIdentity(stateDir));
  const answerers = new Map<RequestMethod, Answerer>();
  const questions: Questions = {
    ask: async () => failure("node-unreachable", "nobody is asked here"),
    serve: (method, answerer) => void answerers.set(method, answerer),
    take: () => {},
  };
  serveStandby(node, questions, () => {});
  createCourier({
    identity: node,
    questions,
    wall: () => wallTime(Date.now()),
    log: () => {},
    warn: () => {},
  });
  return {
    mesh,
    node,
    ask: (from, method, body = {}) => {
      const answerer = answerers.get(method);
      if (answerer === undefined) throw new Error(`${method} is not served`);
      return answerer(from, body);
    },
  };
}

async function certified({ mesh, node, ask }: Served): Promise<void> {
  const { csr } = unwrap(await ask(mesh.mesh.node, "signer-request")) as { csr: string };
  const { roster } = mesh.identity.keeper.current();
  const root = unwrap(await openRootKey({ roster, code: mesh.mesh.recoveryCode }));
  unwrap(await addStandby(mesh.keymaster, node.id, csr, root, wallTime(Date.now())));
  unwrap(await node.keeper.consider(mesh.identity.keeper.current().encoded));
  unwrap(await node.seat.settle());
}

test("only the keymaster has a signing key made, or a standby take over", async () => {
  const all = await served();
  const { mesh, node, ask } = all;
  const { hash } = node.keeper.current();
  for (const method of ["signer-request", "take-over"] as const)
    for (const from of [node.id, "00000000-0000-4000-8000-000000000000"])
      expect(await ask(from, method, { hash })).toMatchObject(refusal("permission-denied"));
  expect(await ask(mesh.mesh.node, "take-over", { hash })).toMatchObject(refusal("not-standby"));
  expect(await ask(mesh.mesh.node, "take-over", { hash: 1 })).toMatchObject(refusal("protocol-violation"));
  const [first, second] = [
    await ask(mesh.mesh.node, "signer-request"),
    await ask(mesh.mesh.node, "signer-request"),
  ];
  expect(JSON.stringify([first, second])).not.toContain("PRIVATE KEY");
  await certified(all);
});

test("a standby takes over on the very roster that the keymaster named, and waits for it", async () => {
  const all = await served();
  const { mesh, node, ask } = all;
  await certified(all);
  unwrap(await mesh.keymaster.applyConfig("channels: []\n"));
  const { hash, encoded } = mesh.identity.keeper.current();
  const answer = ask(mesh.mesh.node, "take-over", { hash });
  expect(node.keeper.current().hash).not.toBe(hash);
  unwrap(await node.keeper.consider(encoded));
  const opened = unwrap(await answer) as SignedRoster;
  unwrap(await mesh.identity.keeper.consider(encodeSigned(opened)));
  expect(mesh.identity.keeper.current().roster).toMatchObject({
    term: 2,
    previous: hash,
    keymaster: node.id,
  });
  expect(mesh.identity.seat.current()).toBeUndefined();
  expect(node.seat.current()).toBeDefined();
  expect(mesh.identity.seat.standby()).toMatchObject({ ok: true, value: { pin: expect.any(String) } });
});

test("who does not sign sets nothing aside, and what cannot be read is refused", async () => {
  const { mesh, ask } = await served();
  const { signed } = mesh.identity.keeper.current();
  expect(await ask(mesh.mesh.node, "set-aside", signed)).toMatchObject(refusal("not-keymaster"));
  expect(await ask(mesh.mesh.node, "set-aside", { body: 1 })).toMatchObject(refusal("protocol-violation"));
});
