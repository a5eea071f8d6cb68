/** A mesh of real daemons as other tools meet it: `openssl s_client`, `curl`, `openssl verify`. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { type Finished, runToEnd } from "../../lab/driver/child.ts";
import { until } from "../../lab/driver/clock.ts";
import type { Daemon } from "../../lab/driver/daemon.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";
import { parseCertificate } from "../../src/adapters/pki/certificates.ts";
import { signerCrl } from "../../src/adapters/pki/crl.ts";
import { type Issuer, issueLeaf } from "../../src/adapters/pki/issue.ts";
import { generateKey, keyPem, parsePrivateKey, spkiPin } from "../../src/adapters/pki/keys.ts";
import { signRoster } from "../../src/adapters/pki/roster-signature.ts";
import { StateFolder } from "../../src/adapters/state/folder.ts";
import { nextRoster } from "../../src/daemon/roster-next.ts";
import { ROSTER_FILE } from "../../src/daemon/state-files.ts";
import { unwrap } from "../../src/kit/result.ts";
import { days, isoTime, wallTime } from "../../src/kit/time.ts";
import { encodeSigned, type ParsedRoster, parseSigned } from "../../src/wire/roster.ts";
import { makeChain, publicOf } from "../contract/issued-chain.ts";
import { Openssl } from "../contract/openssl.ts";

const NAMES = ["a", "b", "c"];
const PORT = 18_454;
const WAIT_MS_MAX = 20_000;
const openssl = new Openssl();
let mesh: Mesh;
let b: Daemon;
let http: string;

/** What a client shows: a key, and its certificate with those that it was issued by. */
interface Shown {
  readonly key: string;
  readonly chain: string;
}

const stateFile = (daemon: Daemon, name: string): string =>
  readFileSync(join(daemon.stateFolder, name), "utf8");
const heldBy = async (daemon: Daemon): Promise<ParsedRoster> => {
  const signed = unwrap(await new StateFolder(daemon.stateFolder).readJson(ROSTER_FILE));
  if (signed === undefined) throw new Error(`${daemon.name} has no roster`);
  return unwrap(parseSigned(encodeSigned(signed)));
};
const shownBy = (daemon: Daemon): Shown => ({
  key: stateFile(daemon, "node.key"),
  chain: stateFile(daemon, "node.crt"),
});
const signerOf = (daemon: Daemon): Issuer => ({
  key: unwrap(parsePrivateKey(stateFile(daemon, "signer.key"), "signer.key")),
  certificate: stateFile(daemon, "signer.crt"),
});
const rootOf = async (): Promise<{ pin: string; certificate: string }> => {
  const [root] = (await heldBy(mesh.daemon("a"))).roster.roots;
  if (root === undefined) throw new Error("the roster has no root");
  return root;
};

/** Speaks to b's mesh port until one side hangs up; standard input is empty. */
const sClient = (shown: Shown | undefined, ...more: string[]): Promise<Finished> => {
  const own =
    shown === undefined
      ? []
      : [
          ...["-key", openssl.file(shown.key), "-cert", openssl.file(shown.chain)],
          ...["-cert_chain", openssl.file(shown.chain)],
        ];
  return runToEnd(["openssl", "s_client", "-connect", b.address, ...own, ...more], { timeoutMs: 15_000 });
};
const PEER = ["-alpn", "balefire/1"];
/** Stays until the other side ends it, to see what that says. */
const LISTENING = ["-ign_eof", "-quiet"];

const refusals = async (): Promise<string> => {
  const { findings } = await b.control.call("doctor", {});
  return findings.map(({ finding }) => finding).join("\n");
};

beforeAll(async () => {
  mesh = await Mesh.form({
    names: NAMES,
    network: loopbackNetwork(),
    balefire: FROM_SOURCE,
    port: PORT,
    configOf: (name) => ({ http: { listen: name === "b" ? "127.0.0.1:0" : "off" }, history: "off" }),
  });
  b = mesh.daemon("b");
  http = /http:\/\/\S+/.exec(await refusals())?.[0] ?? "";
}, 120_000);
afterAll(async () => {
  await mesh.close();
  openssl.close();
});

describe("openssl s_client", () => {
  test("with a member's certificate gets through, and what it is shown passes openssl verify", async () => {
    const root = openssl.file((await rootOf()).certificate);
    const said = await sClient(shownBy(mesh.daemon("c")), ...PEER, "-CAfile", root, "-showcerts");
    expect(said.stdout).toContain("Verify return code: 0 (ok)");
    expect(said.stdout).toContain("ALPN protocol: balefire/1");
    expect(said.stdout).toContain("New, TLSv1.3");
    expect(said.stdout).toContain("Acceptable client certificate CA names");
    const [leaf = "", signer = "", ...more] =
      said.stdout.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
    expect(new X509Certificate(leaf).subjectAltName).toMatch(new RegExp(`/node/${b.id}$`));
    // Whoever knows the mesh knows its root: it is not sent along.
    expect(more.filter((each) => each !== leaf)).toEqual([]);
    const chain = { roots: (await rootOf()).certificate, signers: signer, leaf };
    for (const purpose of ["sslserver", "sslclient"])
      expect(openssl.verify(chain, "-purpose", purpose)).toMatchObject({ ok: true });
  });

  const strangers: readonly (readonly [string, string, () => Promise<Shown | undefined>])[] = [
    ["without a certificate", "a connection shows no certificate", async () => undefined],
    [
      "with a certificate of another mesh that names this one's node",
      "the certificate is not trusted",
      async () => {
        const other = await makeChain({ mesh: (await heldBy(b)).roster.mesh, node: mesh.daemon("c").id });
        return { key: keyPem(other.key), chain: other.leaf + other.signer.certificate };
      },
    ],
    [
      "with a self-made certificate of the right name",
      "the certificate is not trusted",
      async () => {
        const key = keyPem(generateKey());
        const name = `URI:spiffe://${(await heldBy(b)).roster.mesh}/node/${mesh.daemon("c").id}`;
        const words = ["req", "-x509", "-new", "-key", openssl.file(key), "-subj", "/CN=c"];
        return { key, chain: openssl.run(...words, "-addext", `subjectAltName=${name}`).said };
      },
    ],
    [
      "with the right chain and another key than the roster's",
      "the key of c is not the one in the roster",
      () => issuedBySigner(mesh.daemon("c").id),
    ],
    [
      "with the right chain for a node that nobody admitted",
      "is not in the roster",
      () => issuedBySigner("00000000-0000-4000-8000-000000000000"),
    ],
  ];

  /** What a thief of the keymaster's signing key could make. */
  async function issuedBySigner(node: string): Promise<Shown> {
    const signer = signerOf(mesh.daemon("a"));
    const key = generateKey();
    const names = { mesh: (await heldBy(b)).roster.mesh, node };
    const leaf = await issueLeaf(names, publicOf(key), signer, wallTime(Date.now()));
    return { key: keyPem(key), chain: leaf + signer.certificate };
  }

  test.each(strangers)("%s is turned away without a byte, and b says why", async (_, why, make) => {
    const said = await sClient(await make(), ...PEER, ...LISTENING);
    expect(said.stdout).toBe("");
    expect(await refusals()).toContain(why);
  });

  test("by an older TLS is refused in the handshake", async () => {
    const said = await sClient(shownBy(mesh.daemon("c")), ...PEER, "-tls1_2");
    expect(said.code).not.toBe(0);
    expect(said.stderr).toContain("alert protocol version");
    expect(said.stdout).toContain("Cipher is (NONE)");
  });

  test.each([[[]], [["-alpn", "h2"]], [["-alpn", "balefire/2"]]])(
    "that does not ask for the mesh's protocol is hung up on: %j",
    async (words) => {
      const said = await sClient(shownBy(mesh.daemon("c")), ...words);
      expect(said.stdout).toContain("no peer certificate available");
      expect(said.stdout).toContain("Cipher is (NONE)");
    },
  );
});

test("curl gets no answer of the mesh port, with a member's certificate or without", async () => {
  const { key, chain } = shownBy(mesh.daemon("c"));
  const words = ["curl", "--silent", "--show-error", "--max-time", "10", `https://${b.address}/`];
  for (const own of [[], ["--key", openssl.file(key), "--cert", openssl.file(chain)]]) {
    const said = await runToEnd([...words, "--insecure", ...own], { timeoutMs: 15_000 });
    // 35: the handshake failed; 56: the connection was ended.
    expect([35, 56]).toContain(said.code);
    expect(said.stdout).toBe("");
  }
  const plain = await runToEnd(["curl", "--silent", "--max-time", "10", `http://${b.address}/`], {
    timeoutMs: 15_000,
  });
  expect([52, 56]).toContain(plain.code);
});

test("nothing of that has disturbed anyone", async () => {
  for (const report of await mesh.settled()) expect(report.isolated).toBe(false);
  const alarms = mesh.notices.filter(({ event }) => event.event === "incident");
  expect(alarms).toEqual([]);
  for (const daemon of mesh.daemons) expect(daemon.state).toBe("running");
});

describe("the mesh's revocation lists", () => {
  const lists = async (): Promise<string> => {
    const { pin } = await rootOf();
    const answer = await fetch(`${http}/pki/crl/${pin}.pem`);
    expect(answer.headers.get("content-type")).toBe("application/x-pem-file");
    return answer.text();
  };
  const check = async (leaf: string, pem: string): Promise<ReturnType<Openssl["verify"]>> => {
    const signers = signerOf(mesh.daemon("a")).certificate;
    const chain = { roots: (await rootOf()).certificate, signers, leaf };
    return openssl.verify(chain, "-crl_check_all", "-CRLfile", openssl.file(pem));
  };

  test("are there from the beginning, and let every member pass", async () => {
    const pem = await lists();
    for (const name of NAMES)
      expect(await check(stateFile(mesh.daemon(name), "node.crt"), pem)).toMatchObject({ ok: true });
    expect(await b.cli("crl", "show", "--pem")).toBe(pem);
  });

  test("take back every certificate of a revoked node, the ones before its renewals too, and nobody else's", async () => {
    const c = mesh.daemon("c");
    const stolen = shownBy(c);
    await c.cli("certs", "renew");
    const renewed = shownBy(c);
    expect(renewed.chain).not.toBe(stolen.chain);
    await mesh.daemon("a").cli("node", "revoke", "c", "--why", "a test");
    await until("c to end", WAIT_MS_MAX, () => (c.state === "off" ? true : undefined));
    const pem = await until("b to hold the new list", WAIT_MS_MAX, async () => {
      const { roots } = await b.control.call("crls", {});
      return roots[0]?.lists.some(({ entries }) => entries.length === 2) ? lists() : undefined;
    });
    for (const { chain } of [stolen, renewed])
      expect(await check(chain, pem)).toMatchObject({
        ok: false,
        said: expect.stringContaining("certificate revoked"),
      });
    for (const name of ["a", "b"])
      expect(await check(stateFile(mesh.daemon(name), "node.crt"), pem)).toMatchObject({ ok: true });
    const shown = await b.cli("crl", "show");
    expect(shown.match(/^ +c +20\S+ \S+ +keyCompromise +[0-9a-f]{32}$/gm)).toHaveLength(2);
    // Whoever holds the stolen key is not even shown the roster, which says what was changed because of it.
    const said = await sClient(stolen, ...PEER, ...LISTENING);
    expect(said.stdout).toBe("");
  });

  test("that are long out of date keep no good peer out", async () => {
    const a = mesh.daemon("a");
    await Promise.all([a.stop(), b.stop()]);
    const signer = signerOf(a);
    const held = await heldBy(a);
    const old = wallTime(Date.now() - days(90));
    const [crl] = held.roster.crls;
    if (crl === undefined) throw new Error("the roster has no list");
    const crls = [{ root: crl.root, pem: signerCrl(signer, [], 1, old) }];
    const pin = spkiPin(unwrap(parseCertificate(signer.certificate)).publicKey);
    const next = nextRoster(held, { crls }, isoTime(wallTime(Date.now())));
    const signed = unwrap(signRoster(next, signer.key, pin)).signed;
    for (const daemon of [a, b])
      unwrap(await new StateFolder(daemon.stateFolder).writeJson(ROSTER_FILE, signed));
    await Promise.all([a.run(), b.run()]);
    for (const daemon of [a, b]) {
      const { roots } = await daemon.control.call("crls", {});
      expect(Date.parse(roots[0]?.lists[0]?.nextUpdate ?? "")).toBeLessThan(Date.now() - days(50));
    }
    await mesh.settled();
    const { pem = "" } = (await b.control.call("crls", {})).roots[0] ?? {};
    // To a tool that goes by lists it matters: that is why the mesh does not.
    expect(await check(stateFile(b, "node.crt"), pem)).toMatchObject({ ok: false });
    // With the next roster there is a new one.
    await a.cli("node", "readdress", "b", "--address", b.address);
    await until("b to hold a new list", WAIT_MS_MAX, async () => {
      const [list] = (await b.control.call("crls", {})).roots[0]?.lists ?? [];
      return list !== undefined && Date.parse(list.nextUpdate) > Date.now() ? true : undefined;
    });
  });
});
