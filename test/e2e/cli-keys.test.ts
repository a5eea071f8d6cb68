/** The verbs about certificates and members, as a person types them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { FailureError } from "../../src/kit/result.ts";
import { createRig, type Rig } from "./cli-rig.ts";

let rig: Rig;
const asked: object[] = [];

beforeAll(async () => {
  rig = await createRig({
    "node-remove": async (params) => {
      asked.push(params);
      if (params.node === "a") {
        const message = "a is the keymaster: without it nobody could sign";
        throw new FailureError({ code: "usage", message, remedy: "Keep it.", retry: false });
      }
      const { node, suspected } = params;
      return {
        schema: 1,
        node,
        id: "x",
        suspected,
        generation: 1,
        term: 1,
        opener: "opener-a",
        epoch: 5,
        reached: ["b"],
        waiting: ["d"],
      };
    },
  });
});
afterAll(() => rig.close());

test("certs shows state, end and what keeps a renewal from happening, and exits with 3 when one is late", async () => {
  const { code, stdout, stderr } = await rig.run(["certs"]);
  expect(code).toBe(3);
  expect(stdout).toMatch(/^NODE +STATE +ENDS IN +ENDS +RENEWED BY ITSELF +SERIAL/);
  expect(stdout).toMatch(/^a +valid +2[78] d /m);
  expect(stdout).toMatch(/^b +late +[45] d /m);
  expect(stderr).toContain("the keymaster did not answer within 10 s");
  expect((await rig.json(["certs"])).document).toMatchObject({
    schema: 1,
    certificates: [{ node: "a", serial: "4a5b6c7d8e9f00112233445566778899", state: "valid" }, { node: "b" }],
  });
});

test("certs renew names the node and its new certificate", async () => {
  const { code, stdout } = await rig.run(["certs", "renew", "b"]);
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^b has a new certificate, 6a5b/),
  });
});

test("crl show names each root's lists, whose certificates are on them and why, or prints them in PEM", async () => {
  const { code, stdout } = await rig.run(["crl", "show"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Root R{43}\n {2}Balefire signer .*, list 1795312800: 2 certificates taken back\n/);
  expect(stdout).toMatch(/^ {4}c +20.* +keyCompromise +4d/m);
  expect(stdout).toMatch(/^ {4}- +20.* +cessationOfOperation +4e/m);
  expect(stdout).toMatch(/^Root S{43}\n {2}no list yet/m);
  const pem = await rig.run(["crl", "show", "--pem"]);
  expect(pem.stdout.trim()).toBe("-----BEGIN X509 CRL-----\nMA==\n-----END X509 CRL-----");
  expect((await rig.json(["crl", "show"])).document).toMatchObject({
    schema: 1,
    roots: [{ lists: [{ number: 1_795_312_800, entries: [{ node: "c" }, { node: null }] }] }, { lists: [] }],
  });
});

test("node remove says what it did, who knows it, who does not yet, and how to have it back", async () => {
  const { code, stdout, stderr } = await rig.run(["node", "remove", "c", "--why", "sold"]);
  expect(code).toBe(0);
  expect(asked.at(-1)).toEqual({ node: "c", why: "sold", suspected: false });
  expect(stdout).toContain("c is no longer in the mesh, and its key is revoked.");
  expect(stdout).toContain("Term 1 epoch 5 is known to this node, b.");
  expect(stdout).toContain("Not yet to d");
  expect(stderr).toContain("balefire token create c");
});

test("node revoke says that it was for theft, and points to what else is to be done", async () => {
  const { code, stderr } = await rig.run(["node", "revoke", "c"]);
  expect(code).toBe(0);
  expect(asked.at(-1)).toEqual({ node: "c", why: "", suspected: true });
  expect(stderr).toContain("stolen-host.md");
});

test("the keymaster's removal is refused as wrong usage, with the reason", async () => {
  const { code, stderr } = await rig.run(["node", "remove", "a"]);
  expect(code).toBe(2);
  expect(stderr).toContain("a is the keymaster");
});

test("node readdress needs an address, and shows the new ones", async () => {
  expect((await rig.run(["node", "readdress", "c"])).code).toBe(2);
  const moved = await rig.run(["node", "readdress", "c", "--address", "10.0.0.9", "--address", "10.1.0.9"]);
  expect(moved).toMatchObject({ code: 0, stdout: expect.stringContaining("c is at 10.0.0.9, 10.1.0.9.") });
});

test("a reason longer than the roster keeps is refused before anything is done", async () => {
  const before = asked.length;
  expect((await rig.run(["node", "remove", "c", "--why", "x".repeat(201)])).code).not.toBe(0);
  expect(asked).toHaveLength(before);
});
