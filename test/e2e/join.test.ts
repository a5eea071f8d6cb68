import { once } from "node:events";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { createCsr } from "../../src/adapters/pki/csr.ts";
import { generateKey } from "../../src/adapters/pki/keys.ts";
import { type Identity, loadIdentity, withOfflineKeymaster } from "../../src/daemon/identity.ts";
import { joinMesh } from "../../src/daemon/join.ts";
import { unwrap } from "../../src/kit/result.ts";
import { hours, minutes, seconds } from "../../src/kit/time.ts";
import { encodeJoinLine, JOIN_ALPN } from "../../src/wire/join.ts";
import { encodeToken, parseToken } from "../../src/wire/token.ts";
import { ask, askAs, callUp, requestBy } from "./join-client.ts";
import { afterThisTest, newHost, refusal, rig } from "./join-rig.ts";

const names = (identity: Identity): string[] => identity.keeper.view().members.map((member) => member.name);

test("a host with a token becomes a node that every roster names", async () => {
  const mesh = await rig();
  const told: string[] = [];
  const host = await newHost(await mesh.token("pve2"), { progress: (text) => told.push(text) });
  const joined = unwrap(await joinMesh(host));
  const identity = unwrap(await loadIdentity(host.stateDir));
  expect(joined).toMatchObject({ mesh: mesh.mesh.mesh, name: "pve2", already: false });
  expect(identity).toMatchObject({ mesh: mesh.mesh.mesh, id: joined.node, addresses: ["127.0.0.2:7654"] });
  expect(identity.seat.current()).toBeUndefined();
  expect(identity.keeper.current().hash).toBe(mesh.identity.keeper.current().hash);
  expect(names(identity)).toEqual(["pve1", "pve2"]);
  expect(identity.keeper.trustView(joined.node)).toMatchObject({
    peers: [{ id: mesh.mesh.node, name: "pve1" }],
    keymaster: { id: mesh.mesh.node, addresses: [mesh.address] },
  });
  expect(mesh.keymaster.listTokens()).toMatchObject([{ name: "pve2", state: "used" }]);
  expect(told[0]).toBe(`connecting to ${mesh.address}`);
  expect(told.join("\n")).not.toContain(host.token.slice(20));
});

test("the same command after a join says so and changes nothing; for another node it is refused", async () => {
  const mesh = await rig();
  const host = await newHost(await mesh.token("pve2"));
  const joined = unwrap(await joinMesh(host));
  expect(await joinMesh(host)).toEqual({ ok: true, value: { ...joined, already: true } });
  expect(await joinMesh({ ...host, token: await mesh.token("pve3") })).toMatchObject(
    refusal("state-exists", "pve2"),
  );
  expect(names(mesh.identity)).toEqual(["pve1", "pve2"]);
});

test("a keymaster started anew knows its tokens and its nodes", async () => {
  const mesh = await rig();
  const [first, second] = [await mesh.token("pve2"), await mesh.token("pve3")];
  unwrap(await joinMesh(await newHost(first)));
  const restarted = await mesh.restart();
  unwrap(await joinMesh(await newHost(second, { addresses: ["127.0.0.3"] })));
  expect(names(restarted.identity)).toEqual(["pve1", "pve2", "pve3"]);
  expect(await joinMesh(await newHost(first, { addresses: ["127.0.0.4"] }))).toMatchObject(
    refusal("token-used"),
  );
});

test("a token is good for one host, also when two come at once", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  const hosts = await Promise.all(
    [1, 2, 3].map((digit) => newHost(token, { addresses: [`127.0.1.${digit}`] })),
  );
  const results = await Promise.all(hosts.map((host) => joinMesh(host)));
  expect(results.filter((result) => result.ok)).toHaveLength(1);
  for (const result of results) if (!result.ok) expect(result).toMatchObject(refusal("token-used"));
  expect(names(mesh.identity)).toEqual(["pve1", "pve2"]);
  expect(mesh.identity.keeper.view().epoch).toBe(2);
});

test("a token does not serve another name", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  expect(await askAs(mesh.address, token, { name: "pve3" })).toMatchObject(
    refusal("token-invalid", "is for pve2, not for pve3"),
  );
  expect(mesh.keymaster.listTokens()).toMatchObject([{ state: "open" }]);
  expect(names(mesh.identity)).toEqual(["pve1"]);
});

test("an expired token is refused, though its last moment still counts", async () => {
  const mesh = await rig();
  const [inTime, late] = [await mesh.token("pve2", hours(1)), await mesh.token("pve3", hours(1))];
  mesh.advance(minutes(59));
  unwrap(await joinMesh(await newHost(inTime)));
  mesh.advance(minutes(2));
  expect(await joinMesh(await newHost(late))).toMatchObject(refusal("token-expired"));
  expect(mesh.keymaster.listTokens().map((token) => token.state)).toEqual(["used", "expired"]);
});

test("a revoked token is refused", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  const { id } = unwrap(parseToken(token));
  expect(unwrap(await mesh.keymaster.revokeToken(id))).toMatchObject({ id, state: "revoked" });
  expect(await joinMesh(await newHost(token))).toMatchObject(refusal("token-invalid", "revoked"));
  expect(await mesh.keymaster.revokeToken("0".repeat(16))).toMatchObject(refusal("token-unknown"));
});

test("a token that the keymaster never made, or with another secret, is refused", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  const unknown = encodeToken({ ...unwrap(parseToken(token)), id: "0".repeat(16) });
  expect(await joinMesh(await newHost(unknown))).toMatchObject(refusal("token-unknown"));
  expect(await askAs(mesh.address, token, { secret: new Uint8Array(16) })).toMatchObject(
    refusal("token-invalid"),
  );
  expect(names(mesh.identity)).toEqual(["pve1"]);
});

test("a request taken from one connection is worth nothing on another", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  const [first, second] = [await callUp(mesh.address), await callUp(mesh.address)];
  const request = await requestBy(token, first.exporterHex);
  expect(await ask(second, request)).toMatchObject(refusal("token-invalid"));
  expect(await ask(first, request)).toMatchObject({ ok: true });
});

test("a request whose parts were exchanged after it was signed is refused", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  const exchanged = async (change: object): Promise<unknown> => {
    const call = await callUp(mesh.address);
    return ask(call, { ...(await requestBy(token, call.exporterHex)), ...change });
  };
  expect(await exchanged({ csr: createCsr(generateKey()) })).toMatchObject(refusal("token-invalid"));
  expect(await exchanged({ addresses: ["127.0.0.66:7654"] })).toMatchObject(refusal("token-invalid"));
  expect(await exchanged({ name: "pve3" })).toMatchObject(refusal("token-invalid", "not made with"));
  const other = unwrap(parseToken(await mesh.token("pve3"))).id;
  expect(await exchanged({ token: other })).toMatchObject(refusal("token-invalid", "not made with"));
});

test("a certificate request with a bad signature is refused and does not use the token up", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  const body = createCsr(generateKey()).replaceAll(/-----[^-]+-----|\s/g, "");
  const der = Buffer.from(body, "base64");
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  const csr = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
  expect(await askAs(mesh.address, token, { csr })).toMatchObject(
    refusal("certificate-invalid", "not signed"),
  );
  unwrap(await joinMesh(await newHost(token)));
});

test("addresses that a member has are refused with both names, and do not use the token up", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  const collision = await joinMesh(await newHost(token, { addresses: ["127.0.0.2", mesh.address] }));
  expect(collision).toMatchObject(
    refusal("join-refused", `pve2 cannot have address ${mesh.address}: node pve1 has it`),
  );
  expect(await askAs(mesh.address, token, { addresses: ["0.0.0.0:7654"] })).toMatchObject(
    refusal("address-invalid"),
  );
  unwrap(await joinMesh(await newHost(token)));
});

test("two tokens for one name make one node", async () => {
  const mesh = await rig();
  const [first, second] = [await mesh.token("pve2"), await mesh.token("pve2")];
  unwrap(await joinMesh(await newHost(first)));
  const late = await joinMesh(await newHost(second, { addresses: ["127.0.0.3"] }));
  expect(late).toMatchObject(refusal("name-taken", "pve2"));
  expect(await mesh.keymaster.createToken("pve2", 1000)).toMatchObject(refusal("name-taken"));
});

test("a member's key cannot join a second time under another name", async () => {
  const mesh = await rig();
  const key = generateKey();
  const join = async (name: string, digit: number): Promise<unknown> =>
    askAs(mesh.address, await mesh.token(name), { key, addresses: [`127.0.0.${digit}:7654`] });
  expect(await join("pve2", 2)).toMatchObject({ ok: true });
  expect(await join("pve3", 3)).toMatchObject(refusal("join-refused", "known to the mesh already"));
});

test("a joiner tries the keymaster's addresses in turn and tells of each that failed", async () => {
  const mesh = await rig();
  const token = unwrap(parseToken(await mesh.token("pve2")));
  const closed = await closedPort();
  const reachable = encodeToken({ ...token, addresses: [closed, mesh.address] });
  const nowhere = encodeToken({ ...token, addresses: [closed, closed] });
  const host = await newHost(nowhere);
  expect(await joinMesh(host)).toMatchObject({
    ok: false,
    error: {
      code: "keymaster-unreachable",
      retry: true,
      message: expect.stringMatching(/ECONNREFUSED.*; .*ECONNREFUSED/),
    },
  });
  unwrap(await joinMesh({ ...host, token: reachable }));
});

async function closedPort(): Promise<string> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return `127.0.0.1:${port}`;
}

test("a node can relay a join by passing the bytes on: TLS ends at the keymaster", async () => {
  const mesh = await rig();
  const [host = "", port] = mesh.address.split(":");
  const relay = createServer((from: Socket) => {
    const to = connectTcp(Number(port), host);
    from.pipe(to).pipe(from);
    for (const socket of [from, to]) socket.on("error", () => from.destroy());
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  afterThisTest(() => {
    relay.close();
  });
  const via = `127.0.0.1:${(relay.address() as { port: number }).port}`;
  unwrap(await joinMesh(await newHost(await mesh.token("pve2"), { via })));
  expect(names(mesh.identity)).toEqual(["pve1", "pve2"]);
});

test.each([
  ["a line that is no request", "hello\n"],
  ["JSON that is no request", `${JSON.stringify({ schema: 1 })}\n`],
  ["random bytes", `${Buffer.from([0, 255, 128, 7]).toString("latin1")}\n`],
  ["a line too long", `${"x".repeat(70_000)}\n`],
])("%s is answered with what is wrong, and the next joiner is served", async (_what, line) => {
  const mesh = await rig();
  const call = await callUp(mesh.address);
  call.socket.write(line);
  const answer = unwrap(await call.lines.next(100_000, minutes(1)));
  expect(JSON.parse(answer)).toMatchObject(refusal("protocol-violation"));
  unwrap(await joinMesh(await newHost(await mesh.token("pve2"))));
});

test("a line that never ends is cut off at its bound, not at its timeout", async () => {
  const mesh = await rig();
  const call = await callUp(mesh.address);
  call.socket.write("x".repeat(65_537));
  expect(JSON.parse(unwrap(await call.lines.next(100_000, seconds(5))))).toMatchObject(
    refusal("protocol-violation", "longer than 65536 bytes"),
  );
});

test("of many that connect and say nothing, sixteen are kept and the rest turned away", async () => {
  const mesh = await rig();
  const held = await Promise.all(Array.from({ length: 16 }, () => callUp(mesh.address)));
  const token = await mesh.token("pve2");
  const host = await newHost(token);
  expect(await joinMesh(host)).toMatchObject({
    ok: false,
    error: { code: "keymaster-unreachable", retry: true },
  });
  for (const { socket } of held) socket.destroy();
  await expect.poll(() => joinMesh(host).then((result) => result.ok)).toBe(true);
});

test("joiners that leave at any moment disturb nobody", async () => {
  const mesh = await rig();
  const token = await mesh.token("pve2");
  for (let round = 0; round < 10; round += 1) {
    const call = await callUp(mesh.address);
    const line = encodeJoinLine(await requestBy(token, call.exporterHex, { secret: new Uint8Array(16) }));
    const part = line.slice(0, Math.ceil((line.length * round) / 9));
    await new Promise((resolve) => call.socket.write(part, resolve));
    call.socket.destroy();
  }
  unwrap(await joinMesh(await newHost(token)));
});

test("an older TLS is not spoken", async () => {
  const mesh = await rig();
  const [host = "", port] = mesh.address.split(":");
  const options = { host, port: Number(port), ALPNProtocols: [JOIN_ALPN], rejectUnauthorized: false };
  const socket: TLSSocket = connect({ ...options, maxVersion: "TLSv1.2" });
  const [error] = (await once(socket, "error")) as [Error];
  expect(String(error)).toMatch(/protocol|version|alert/i);
});

test("tokens made without a daemon serve the daemon, and only on the keymaster", async () => {
  const mesh = await rig();
  const host = await newHost(await mesh.token("pve2"));
  unwrap(await joinMesh(host));
  const create = (stateDir: string) =>
    withOfflineKeymaster(stateDir, (keymaster) => keymaster.createToken("pve3", hours(1)));
  const { token } = unwrap(await create(mesh.stateDir));
  await mesh.restart();
  unwrap(await joinMesh(await newHost(token, { addresses: ["127.0.0.3"] })));
  expect(await create(host.stateDir)).toMatchObject(refusal("not-keymaster", "pve1 is"));
});

test("no file of the mesh holds a token's secret", async () => {
  const mesh = await rig();
  const line = await mesh.token("pve2");
  const { secret, id } = unwrap(parseToken(line));
  const stored = await readFile(join(mesh.stateDir, "tokens.json"), "utf8");
  expect(stored).toContain(id);
  for (const form of ["hex", "base64", "base64url"] as const) {
    expect(stored).not.toContain(Buffer.from(secret).toString(form).replace(/=+$/, ""));
  }
});

test("an unfinished join's key that others can read is refused", async () => {
  const mesh = await rig();
  const host = await newHost(await mesh.token("pve2"), { via: await closedPort() });
  expect((await joinMesh(host)).ok).toBe(false);
  const pending = join(host.stateDir, "pending-join.json");
  await chmod(pending, 0o644);
  expect(await joinMesh({ ...host, via: mesh.address })).toMatchObject(refusal("state-permissions", pending));
  await chmod(pending, 0o600);
  await writeFile(pending, (await readFile(pending, "utf8")).slice(0, -20));
  expect(await joinMesh({ ...host, via: mesh.address })).toMatchObject(refusal("state-corrupt", pending));
});
