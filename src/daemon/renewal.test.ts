import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newHost, type Rig, rig, temporaryFolder } from "../../test/e2e/join-rig.ts";
import { nodeNamed, parseCertificates } from "../adapters/pki/certificates.ts";
import { createCsr } from "../adapters/pki/csr.ts";
import { generateKey, parsePrivateKey, spkiPin } from "../adapters/pki/keys.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import { failure, type Result, unwrap } from "../kit/result.ts";
import { days, wallTime } from "../kit/time.ts";
import { monotonicNow } from "./clock.ts";
import { type Identity, loadIdentity } from "./identity.ts";
import { joinMesh } from "./join.ts";
import { leafLife } from "./leaf-life.ts";
import { createRenewal, type RenewalOptions } from "./renewal.ts";

const refusal = (code: string, message = ""): object => ({
  ok: false,
  error: { code, message: expect.stringContaining(message) },
});
const openssl = (...args: string[]): string =>
  execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });

/** A mesh of two; the second one's identity. */
async function pair(): Promise<{ mesh: Rig; second: Identity }> {
  const mesh = await rig();
  const host = await newHost(await mesh.token("pve2"));
  unwrap(await joinMesh(host));
  return { mesh, second: unwrap(await loadIdentity(host.stateDir)) };
}
/** Past the pause that the keymaster has each node make. */
const pause = (mesh: Rig): void => mesh.advance(1000);

describe("the keymaster, asked for a renewal", () => {
  test("gives the member's key another certificate in the member's name, whatever the request's names", async () => {
    const { mesh, second } = await pair();
    const file = join(await temporaryFolder(), "node.key");
    await writeFile(file, second.keyPem, { mode: 0o600 });
    const greedy = openssl(
      ...["req", "-new", "-key", file, "-subj", "/CN=pve1", "-addext"],
      `subjectAltName=URI:spiffe://${mesh.mesh.mesh}/node/${mesh.mesh.node}`,
    );
    for (const csr of [second.certificate.request(), greedy]) {
      const pem = unwrap(await mesh.keymaster.renew(second.id, csr));
      const leaf = unwrap(parseCertificates(pem))[0];
      expect(leaf && nodeNamed(leaf)).toEqual({ mesh: second.mesh, node: second.id });
      expect(leaf && spkiPin(leaf.publicKey)).toBe(second.certificate.pin);
      expect(leaf?.serialNumber.toLowerCase()).not.toBe(second.certificate.facts.serial);
      pause(mesh);
    }
  });

  test("refuses another key than the one pinned, though the request is in order", async () => {
    const { mesh, second } = await pair();
    const other = await mesh.keymaster.renew(second.id, createCsr(generateKey()));
    expect(other).toMatchObject(refusal("certificate-invalid", "another key than the roster has for pve2"));
    pause(mesh);
    expect(await mesh.keymaster.renew(mesh.mesh.node, second.certificate.request())).toMatchObject(
      refusal("certificate-invalid", "for pve1"),
    );
  });

  test("refuses a node that the roster does not hold, and one that was removed", async () => {
    const { mesh, second } = await pair();
    const csr = second.certificate.request();
    expect(await mesh.keymaster.renew(second.mesh, csr)).toMatchObject(refusal("node-unknown"));
    unwrap(await mesh.keymaster.removeNode("pve2", ""));
    expect(await mesh.keymaster.renew(second.id, csr)).toMatchObject(refusal("node-unknown"));
  });

  test("refuses another kind of key, a huge request, a truncated one and none, each with its reason", async () => {
    const { mesh, second } = await pair();
    const folder = await temporaryFolder();
    const requestFor = async (type: "rsa" | "ec" | "ed25519"): Promise<string> => {
      const { privateKey } =
        type === "rsa"
          ? generateKeyPairSync("rsa", { modulusLength: 2048 })
          : type === "ec"
            ? generateKeyPairSync("ec", { namedCurve: "secp384r1" })
            : generateKeyPairSync("ed25519");
      const file = join(folder, type);
      await writeFile(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
      return openssl("req", "-new", "-key", file, "-subj", "/CN=x");
    };
    const good = second.certificate.request();
    const cases: readonly [string, string][] = [
      [await requestFor("rsa"), "P-256"],
      [await requestFor("ec"), "P-256"],
      [await requestFor("ed25519"), "P-256"],
      [good.repeat(100), "too long"],
      [good.slice(0, good.length / 2), "cannot be decoded"],
      ["", "cannot be decoded"],
      [second.certificatePem, ""],
    ];
    for (const [csr, why] of cases) {
      expect(await mesh.keymaster.renew(second.id, csr)).toMatchObject(refusal("certificate-invalid", why));
      pause(mesh);
    }
  });

  test("signs for no bytes but a request by the pinned key", async () => {
    const { mesh, second } = await pair();
    const good = Buffer.from(second.certificate.request().replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
    const bytes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
    });
    await fc.assert(
      fc.asyncProperty(bytes, async (changes) => {
        const changed = Buffer.from(good);
        for (const [at, by] of changes) changed[at] = (changed[at] ?? 0) ^ by;
        fc.pre(!changed.equals(good));
        const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${changed.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
        pause(mesh);
        const result = await mesh.keymaster.renew(second.id, pem);
        if (!result.ok) return;
        const leaf = unwrap(parseCertificates(result.value))[0];
        expect(leaf && spkiPin(leaf.publicKey)).toBe(second.certificate.pin);
      }),
      { numRuns: 150 },
    );
  });

  test("is not kept busy by one member that asks and asks", async () => {
    const { mesh, second } = await pair();
    const csr = second.certificate.request();
    expect(await mesh.keymaster.renew(second.id, csr)).toMatchObject({ ok: true });
    expect(await mesh.keymaster.renew(second.id, csr)).toMatchObject(refusal("limit-reached"));
    pause(mesh);
    const atOnce = await Promise.all([1, 2, 3].map(() => mesh.keymaster.renew(second.id, csr)));
    expect(atOnce.map((each) => each.ok)).toEqual([true, false, false]);
  });

  test("enters many renewals in one roster", async () => {
    const { mesh, second } = await pair();
    const before = mesh.identity.keeper.view().epoch;
    unwrap(await mesh.keymaster.renew(second.id, second.certificate.request()));
    unwrap(await mesh.keymaster.renew(mesh.mesh.node, mesh.identity.certificate.request()));
    expect(mesh.identity.keeper.view().epoch).toBe(before);
    const issued = mesh.keymaster.issuedTo(second.id);
    unwrap(await mesh.keymaster.publishRenewals());
    expect(mesh.identity.keeper.view().epoch).toBe(before + 1);
    const listed = mesh.identity.keeper.current().roster.nodes.find(({ id }) => id === second.id);
    expect(listed?.certificateSerial).toBe(issued?.serial);
    unwrap(await mesh.keymaster.publishRenewals());
    expect(mesh.identity.keeper.view().epoch).toBe(before + 1);
  });
});

describe("a node, given a certificate", () => {
  test("refuses one for another key, another node or another mesh, and keeps what it has", async () => {
    const { mesh, second } = await pair();
    const elsewhere = await rig();
    const before = second.certificatePem;
    const [leaf = ""] = before.split(/(?<=-----END CERTIFICATE-----\n)/);
    for (const [pem, why] of [
      [mesh.identity.certificatePem, "not for this node"],
      [elsewhere.identity.certificatePem, "do not lead to this mesh's root"],
      [leaf, "do not lead to this mesh's root"],
      [leaf.slice(0, 200), "expected 1 to 4 certificates"],
      ["x".repeat(100_000), "longer than"],
      ["x".repeat(1000), "expected 1 to 4 certificates"],
    ] as const) {
      expect(await second.certificate.replace(pem, wallTime(Date.now()))).toMatchObject(
        refusal("certificate-invalid", why),
      );
    }
    expect(second.certificatePem).toBe(before);
    expect(await readFile(join(second.stateDir, "node.crt"), "utf8")).toBe(before);
  });

  test("is not talked out of one that holds by a keymaster whose clock is wrong", async () => {
    const { mesh, second } = await pair();
    mesh.advance(-days(400));
    const old = unwrap(await mesh.keymaster.renew(second.id, second.certificate.request()));
    const now = wallTime(Date.now());
    expect(await second.certificate.replace(old, now)).toMatchObject(
      refusal("certificate-invalid", "does not hold by this host's clock"),
    );
    expect(await second.certificate.replace(old, wallTime(now + days(31)))).toMatchObject({ ok: true });
  });

  test("finds it again after a restart, beside the key it had", async () => {
    const { mesh, second } = await pair();
    const pem = unwrap(await mesh.keymaster.renew(second.id, second.certificate.request()));
    unwrap(await second.certificate.replace(pem, wallTime(Date.now())));
    const again = unwrap(await loadIdentity(second.stateDir));
    expect(again.certificatePem).toBe(pem);
    const key = unwrap(parsePrivateKey(again.keyPem, "node.key"));
    expect(spkiPin(createPublicKey(key))).toBe(second.certificate.pin);
  });
});

describe("the renewal by itself", () => {
  interface Course {
    readonly late: (string | undefined)[];
    readonly renewed: string[];
    readonly asked: () => number;
    readonly renewal: ReturnType<typeof createRenewal>;
  }
  /** `answer` gives what each try in turn ends with. */
  async function course(
    offset: number,
    answer: (identity: Identity, mesh: Rig, csr: string) => Promise<Result<string>>,
  ): Promise<Course> {
    const { mesh, second } = await pair();
    mesh.advance(offset);
    const late: (string | undefined)[] = [];
    const renewed: string[] = [];
    let asked = 0;
    const options: RenewalOptions = {
      certificate: second.certificate,
      sign: (csr) => {
        asked += 1;
        return answer(second, mesh, csr);
      },
      onRenewed: (before) => renewed.push(before),
      onLate: (text) => late.push(text),
      log: () => {},
      wall: () => wallTime(Date.now() + offset),
      now: monotonicNow,
      chance: () => 0.5,
    };
    return { late, renewed, asked: () => asked, renewal: createRenewal(options) };
  }
  const away = (): Promise<Result<string>> =>
    Promise.resolve(failure("keymaster-unreachable", "the keymaster did not answer", undefined, true));

  test("does not ask before it is due, and says once that all is well", async () => {
    const { renewal, late, asked } = await course(days(9), away);
    renewal.start();
    renewal.stop();
    expect(asked()).toBe(0);
    expect(late).toEqual([undefined]);
    expect(renewal.nextTryAt()).toBeGreaterThan(Date.now() + days(9.5));
  });

  test("tells people that it is late after three tries in vain, and that it is well after the next", async () => {
    let failing = true;
    const { renewal, late, renewed } = await course(days(25), (second, mesh, csr) =>
      failing ? away() : mesh.keymaster.renew(second.id, csr),
    );
    for (const told of [0, 0, 1, 1]) {
      expect(await renewal.renew()).toMatchObject(refusal("keymaster-unreachable"));
      expect(late.filter((text) => text !== undefined).length).toBeGreaterThanOrEqual(told);
    }
    expect(late[0]).toMatch(
      /^its certificate ends .* and could not be renewed: the keymaster did not answer$/,
    );
    expect(renewal.lastTry()?.failure?.code).toBe("keymaster-unreachable");
    failing = false;
    expect(await renewal.renew()).toMatchObject({ ok: true });
    expect(late.at(-1)).toBeUndefined();
    expect(renewed).toEqual(["late"]);
    expect(renewal.lastTry()?.failure).toBeUndefined();
  });

  test("one that ran out is renewed as well, and what people were told before a restart is taken back", async () => {
    const { renewal, renewed, late } = await course(days(40), (second, mesh, csr) =>
      mesh.keymaster.renew(second.id, csr),
    );
    expect(await renewal.renew()).toMatchObject({ ok: true });
    expect(renewed).toEqual(["expired"]);
    expect(late).toEqual([undefined]);
  });

  test("two who ask at once cause one request", async () => {
    const { renewal, asked } = await course(days(12), (second, mesh, csr) =>
      mesh.keymaster.renew(second.id, csr),
    );
    await Promise.all([renewal.renew(), renewal.renew()]);
    expect(asked()).toBe(1);
  });

  test("a disk that refuses the new certificate leaves the old one, and is a try in vain", async () => {
    const { mesh, second } = await pair();
    const pem = unwrap(await mesh.keymaster.renew(second.id, second.certificate.request()));
    const before = second.certificatePem;
    const { mkdir } = await import("node:fs/promises");
    await mkdir(join(second.stateDir, "node.crt.tmp"));
    expect(await second.certificate.replace(pem, wallTime(Date.now()))).toMatchObject({ ok: false });
    expect(second.certificatePem).toBe(before);
    expect(unwrap(await new StateFolder(second.stateDir).readText("node.crt"))).toBe(before);
  });
});

test("the life of test certificates has bounds, and is a month where nothing is said", () => {
  expect(leafLife({})).toEqual({ ok: true, value: days(30) });
  expect(leafLife({ BALEFIRE_TEST_LEAF_LIFE: "20s" })).toEqual({ ok: true, value: 20_000 });
  for (const text of ["1s", "31d", "long", "-5s"])
    expect(leafLife({ BALEFIRE_TEST_LEAF_LIFE: text })).toMatchObject(refusal("config-invalid", "4s to 30d"));
});
