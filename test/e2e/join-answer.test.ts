import { createPublicKey, type KeyObject, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { csrKey } from "../../src/adapters/pki/csr.ts";
import { type Issuer, issueLeaf } from "../../src/adapters/pki/issue.ts";
import { generateKey, parsePrivateKey, spkiPin } from "../../src/adapters/pki/keys.ts";
import { signRoster } from "../../src/adapters/pki/roster-signature.ts";
import { loadIdentity } from "../../src/daemon/identity.ts";
import { initMesh } from "../../src/daemon/init.ts";
import { joinMesh } from "../../src/daemon/join.ts";
import { JoinLines } from "../../src/daemon/join-line.ts";
import { nextRoster } from "../../src/daemon/roster-next.ts";
import { unwrap } from "../../src/kit/result.ts";
import { seconds, wallTime } from "../../src/kit/time.ts";
import { encodeJoinLine, JOIN_REQUEST_BYTES_MAX, parseJoinRequest } from "../../src/wire/join.ts";
import type { RosterNode } from "../../src/wire/roster.ts";
import { answerWith, listening, type Rig, rig, temporaryFolder } from "./join-rig.ts";

/** What a keymaster that has gone wrong decides about its answer; the rest of it is as it should be. */
interface Wrong {
  readonly leafFor?: KeyObject;
  readonly leafMesh?: string;
  readonly leafBy?: Issuer;
  readonly rosterBy?: { readonly issuer: Issuer; readonly pin: string };
  readonly entry?: Partial<RosterNode>;
  readonly line?: string;
}

async function signerOf(stateDir: string): Promise<Issuer & { pin: string }> {
  const key = unwrap(parsePrivateKey(await readFile(join(stateDir, "signer.key"), "utf8"), "signer.key"));
  const certificate = await readFile(join(stateDir, "signer.crt"), "utf8");
  return { key, certificate, pin: spkiPin(createPublicKey(key)) };
}

async function answerTo(mesh: Rig, csr: string, wrong: Wrong): Promise<string> {
  if (wrong.line !== undefined) return `${wrong.line}\n`;
  const signer = await signerOf(mesh.stateDir);
  const key = unwrap(csrKey(csr));
  const id = randomUUID();
  const leaf = await issueLeaf(
    { mesh: wrong.leafMesh ?? mesh.mesh.mesh, node: id },
    wrong.leafFor ?? key,
    wrong.leafBy ?? signer,
    wallTime(Date.now()),
  );
  const current = mesh.identity.keeper.current();
  const added = new Date().toISOString();
  const self = { id, name: "pve2", addresses: ["127.0.0.2:7654"], pin: spkiPin(key), added, ...wrong.entry };
  const next = nextRoster(current, { nodes: [...current.roster.nodes, self] }, added);
  const by = wrong.rosterBy ?? { issuer: signer, pin: signer.pin };
  // Of a term that the root opened, only its own signer's rosters can be read.
  const roster = wrong.rosterBy === undefined ? next : { ...next, term: next.term + 1 };
  return encodeJoinLine({
    schema: 1,
    ok: true,
    certificate: leaf + (wrong.leafBy ?? signer).certificate,
    roster: unwrap(signRoster(roster, by.issuer.key, by.pin)).encoded,
  });
}

/** Joins by a server with the keymaster's own key that answers as told; gives the failure's code, or "joined". */
async function joinBy(mesh: Rig, wrong: Wrong): Promise<string> {
  const { server, address } = await listening();
  const { roster } = mesh.identity.keeper.current();
  const hello = {
    intermediate: roster.succession[0]?.certificate ?? "",
    root: roster.roots[0]?.certificate ?? "",
  };
  answerWith(server, mesh.identity, (socket) => {
    socket.write(encodeJoinLine({ schema: 1, ...hello }));
    void new JoinLines(socket).next(JOIN_REQUEST_BYTES_MAX, seconds(5)).then(async (line) => {
      socket.end(await answerTo(mesh, unwrap(parseJoinRequest(unwrap(line))).csr, wrong));
    });
  });
  const stateDir = join(await temporaryFolder(), "state");
  const token = await mesh.token("pve2");
  const joined = await joinMesh({ stateDir, token, via: address, addresses: ["127.0.0.2"] });
  const loaded = await loadIdentity(stateDir);
  expect(loaded.ok).toBe(joined.ok);
  return joined.ok ? "joined" : joined.error.code;
}

test("what a keymaster hands out becomes an identity only if every part of it is right", async () => {
  const mesh = await rig();
  const otherDir = join(await temporaryFolder(), "other");
  unwrap(await initMesh({ stateDir: otherDir, name: "pve1", addresses: ["127.0.0.1"] }));
  const foreign = await signerOf(otherDir);
  const genuine = await signerOf(mesh.stateDir);
  const answers: [what: string, wrong: Wrong, outcome: string][] = [
    ["everything as it should be", {}, "joined"],
    ["a certificate for another key", { leafFor: createPublicKey(generateKey()) }, "certificate-invalid"],
    ["a certificate by another mesh's signer", { leafBy: foreign }, "certificate-invalid"],
    ["a certificate that names another mesh", { leafMesh: randomUUID() }, "certificate-invalid"],
    [
      "a roster by another mesh's signer",
      { rosterBy: { issuer: foreign, pin: foreign.pin } },
      "roster-refused",
    ],
    ["a roster by another key", { rosterBy: { issuer: foreign, pin: genuine.pin } }, "roster-refused"],
    ["a roster without this node", { entry: { id: randomUUID() } }, "roster-refused"],
    ["a roster that lists another key", { entry: { pin: "p".repeat(43) } }, "roster-refused"],
    ["a roster that lists another name", { entry: { name: "pve3" } }, "roster-refused"],
    ["an answer without content", { line: JSON.stringify({ schema: 1, ok: true }) }, "protocol-violation"],
    ["an answer that is not JSON", { line: "welcome" }, "protocol-violation"],
  ];
  const outcomes: [string, string][] = [];
  for (const [what, wrong] of answers) outcomes.push([what, await joinBy(mesh, wrong)]);
  expect(outcomes).toEqual(answers.map(([what, , outcome]) => [what, outcome]));
});
