/** The verbs about the root key, as a person types them: against made-up answers of a daemon. */
import { spawn, spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FailureError } from "../../src/kit/result.ts";
import type { RootStatusReport } from "../../src/wire/root-reports.ts";
import { BALEFIRE, createRig, type Ended, type Rig } from "./cli-rig.ts";
import { calmRoot, NEW_ROOT, NEXT_CODE, OLD_ROOT, rootHandlers } from "./cli-root-answers.ts";

const CODE = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE-FFFFF-GGGGG";
let rig: Rig;
let status: RootStatusReport = calmRoot;
const asked: object[] = [];
let refusesOffer = false;

beforeAll(async () => {
  rig = await createRig({
    "root-status": async () => status,
    "root-rotate": async (params) => {
      asked.push(params);
      return rootHandlers["root-rotate"](params);
    },
    "recovery-renew": async (params) => {
      asked.push(params);
      return rootHandlers["recovery-renew"](params);
    },
    "offer-take": async (params) => {
      if (!refusesOffer) return rootHandlers["offer-take"](params);
      const message = "the new code opens nothing, and nothing was changed";
      throw new FailureError({ code: "recovery-invalid", message, retry: true });
    },
  });
});
afterAll(() => rig.close());

const underWay: RootStatusReport = {
  ...calmRoot,
  phase: "issuing",
  roots: [
    { pin: NEW_ROOT, notAfter: "2046-06-01T00:00:00.000Z", role: "new" },
    { pin: OLD_ROOT, notAfter: "2046-01-01T00:00:00.000Z", role: "old" },
  ],
  since: "2026-01-01T00:00:00.000Z",
  waived: ["d"],
  waiting: [{ node: "c", id: "i", why: "certificate" }],
};
const withStatus = async (report: RootStatusReport, run: () => Promise<Ended>): Promise<Ended> => {
  status = report;
  const ended = await run();
  status = calmRoot;
  return ended;
};

describe("root status", () => {
  test("says how far it is, who is waited for and why, and who is not", async () => {
    expect(await rig.run(["root", "status"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("No change of roots is under way."),
    });
    const { stdout } = await withStatus(underWay, () => rig.run(["root", "status"]));
    expect(stdout).toContain("Every node trusts the new root");
    expect(stdout).toMatch(/Begun .*; a drives it\./);
    expect(stdout).toMatch(new RegExp(`^${NEW_ROOT} +new`, "m"));
    expect(stdout).toContain("Waiting for c: it has no certificate under the new root yet.");
    expect(stdout).toContain("Not waited for: d.");
    const problem = "somebody has become keymaster by the old root's recovery code since it was announced";
    const blocked = await withStatus({ ...underWay, phase: "blocked", waiting: [], problem }, () =>
      rig.run(["root", "status"]),
    );
    expect(blocked).toMatchObject({ code: 3, stdout: expect.stringContaining("begins anew") });
  });

  test("--json is the daemon's report", async () => {
    expect(await rig.json(["root", "status"])).toEqual({ code: 0, document: calmRoot });
  });
});

describe("root rotate", () => {
  test("says what it will do, asks for the code, shows the new one, and what became of it", async () => {
    asked.length = 0;
    const { code, stdout, stderr } = await rig.run(["root", "rotate", "--waive", "d"], {
      input: `${CODE}\n`,
    });
    expect(code).toBe(0);
    expect(stderr).toContain("A new root key takes the place of the old one");
    expect(asked).toEqual([{ code: CODE, waive: ["d"] }]);
    expect(stdout).toContain(`    ${NEXT_CODE}\n`);
    expect(stdout).toContain(`Root ${NEW_ROOT} is announced.`);
    expect(stdout).toContain("is known to this node, b.");
    expect(stdout).toContain("Not yet to d");
    expect(stdout.indexOf(NEXT_CODE)).toBeLessThan(stdout.indexOf("is announced"));
    expect(stdout + stderr).not.toContain(CODE);
  });

  test("--json prints one document with the code, before it counts", async () => {
    const { stdout } = await rig.run(["root", "rotate", "--json"], { input: CODE });
    expect(JSON.parse(stdout)).toEqual({ schema: 1, recoveryCode: NEXT_CODE, root: NEW_ROOT });
  });

  test("that comes to nothing after the code was shown says so", async () => {
    refusesOffer = true;
    const { code, stderr } = await rig.run(["root", "rotate"], { input: CODE });
    refusesOffer = false;
    expect([code, stderr]).toEqual([1, expect.stringContaining("the new code opens nothing")]);
  });

  test("with one under way only adds who is not waited for, and asks for no code", async () => {
    const added = await withStatus(underWay, () => rig.run(["root", "rotate", "--waive", "c"]));
    expect(added).toMatchObject({ code: 0, stdout: "Not waited for: c.\n" });
    const again = await withStatus(underWay, () => rig.run(["root", "rotate"], { input: CODE }));
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("under way already") });
  });
});

describe("the code", () => {
  test.each([
    ["recovery", "renew"],
    ["root", "rotate"],
    ["recovery", "verify"],
  ])("of %s %s is no argument, and nothing is done without one", async (...words) => {
    asked.length = 0;
    expect(await rig.run([...words, CODE])).toMatchObject({ code: 2 });
    expect(await rig.run(words, { input: "  \n" })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("there is no recovery code"),
    });
    expect(await rig.run(words, { input: "A".repeat(500) })).toMatchObject({ code: 2 });
    expect(asked).toEqual([]);
  });

  test("recovery renew warns that old copies stay as they are", async () => {
    const { stdout, stderr } = await rig.run(["recovery", "renew"], { input: CODE });
    expect(stdout).toContain(NEXT_CODE);
    expect(stderr).toContain("only `balefire root rotate` voids those");
  });

  const hasScript = spawnSync("script", ["--version"]).status === 0;
  describe.skipIf(!hasScript)("typed at a terminal", () => {
    /** Runs the command on a terminal of its own, and types once it asks. */
    const typed = (keys: string): Promise<{ readonly shown: string; readonly code: number | null }> =>
      new Promise((resolve) => {
        const command = `BALEFIRE_SOCKET=${rig.socketPath} ${BALEFIRE} recovery renew`;
        const child = spawn("script", ["-qec", command, "/dev/null"], {
          env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: "dumb" },
        });
        let shown = "";
        let hasTyped = false;
        child.stdout.on("data", (chunk: Buffer) => {
          shown += chunk.toString();
          if (hasTyped || !shown.includes("not shown")) return;
          hasTyped = true;
          child.stdin.write(keys);
        });
        child.on("close", (code) => resolve({ shown, code }));
      });

    test("is not shown, and may be corrected", async () => {
      asked.length = 0;
      const { shown, code } = await typed(`${CODE}X\u007f\r`);
      expect([code, asked]).toEqual([0, [{ code: CODE }]]);
      expect(shown).not.toContain("AAAAA");
      expect(shown).toContain(NEXT_CODE);
    });

    test("is not asked for twice when the person gives up", async () => {
      asked.length = 0;
      const { shown, code } = await typed("AAA\u0003");
      expect([code, asked]).toEqual([2, []]);
      expect(shown).toContain("nothing was done");
    });
  });
});
