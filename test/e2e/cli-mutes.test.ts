/** `balefire maintenance` and `silence`: what is asked of the daemon, and what is said of its answer. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FailureError } from "../../src/kit/result.ts";
import { createRig, type Rig, sampleHandlers } from "./cli-rig.ts";

const asked: { method: string; params: unknown }[] = [];
const seen =
  <P, R>(method: string, answer: (params: P) => Promise<R>) =>
  (params: P): Promise<R> => {
    asked.push({ method, params });
    return answer(params);
  };

let rig: Rig;
beforeAll(async () => {
  rig = await createRig({
    "maintenance-on": seen("maintenance-on", sampleHandlers["maintenance-on"]),
    "silence-add": seen("silence-add", sampleHandlers["silence-add"]),
  });
});
afterAll(() => rig.close());

/** The text without its line breaks. */
const flat = (stdout: string): string => stdout.trim().replaceAll(/\s+/g, " ");
const MAINTENANCE = "maintenance-on";

describe("maintenance", () => {
  it("on says until when, what is held back, and what comes after", async () => {
    const { code, stdout } = await rig.run(["maintenance", "on", "b", "--for", "2h", "--why", "new disk"], {
      env: { SUDO_USER: "anna" },
    });
    expect(code).toBe(0);
    expect(flat(stdout)).toMatch(
      /^b is in maintenance until \d{4}-.{14} \(for another 120 min\)\. Messages about b are held back until then; what is still wrong then is told then\.$/,
    );
    expect(asked.at(-1)).toEqual({
      method: MAINTENANCE,
      params: { node: "b", forMs: 7_200_000, why: "new disk", user: "anna" },
    });
  });

  it("on without a length lasts until it is ended, and says how", async () => {
    const { stdout } = await rig.run(["maintenance", "on", "b"]);
    expect(flat(stdout)).toContain("b is in maintenance until you end it: balefire maintenance off b.");
    expect(asked.at(-1)?.params).toEqual({ node: "b", why: "", user: expect.stringMatching(/^\w/) });
  });

  it("off and list, also as documents", async () => {
    expect((await rig.run(["maintenance", "off", "b"])).stdout).toBe(
      "b is no longer in maintenance: what is wrong with it now is told.\n",
    );
    expect((await rig.run(["maintenance", "list"])).stdout).toMatch(/^b +(119|120) min +root@a +new disk$/m);
    const documents = await Promise.all(
      [["on", "b"], ["off", "b"], ["list"]].map((words) => rig.json(["maintenance", ...words])),
    );
    expect(documents).toMatchObject([
      { code: 0, document: { schema: 1, maintenance: { name: "b", until: null } } },
      { code: 0, document: { schema: 1, name: "b", ended: true } },
      { code: 0, document: { schema: 1, maintenances: [{ name: "b", why: "new disk" }] } },
    ]);
    const { stdout } = await rig.run(["maintenance", "list", "--json"]);
    expect(stdout).toMatch(/^\{"schema":1,/);
  });
});

describe("silence", () => {
  it("add takes the matcher in one word or in several", async () => {
    const args = ["silence", "add", "node=pve*", "severity=warning", "--for", "30m"];
    const { code, stdout } = await rig.run(args);
    expect(code).toBe(0);
    expect(flat(stdout)).toMatch(
      /^Silence 0a1b2c3d: messages about pve\*, of severity warning and milder are held back until \d{4}-.{14} \(for another 30 min\)\. What is still wrong then is told then\.$/,
    );
    expect(asked.at(-1)?.params).toMatchObject({ matcher: "node=pve*,severity=warning", forMs: 1_800_000 });
    await rig.run(["silence", "add", "node=pve*,severity=warning"]);
    expect(asked.at(-1)?.params).toMatchObject({ matcher: "node=pve*,severity=warning" });
    expect(asked.at(-1)?.params).not.toHaveProperty("forMs");
  });

  it("list and remove", async () => {
    const { stdout } = await rig.run(["silence", "list"]);
    expect(stdout).toMatch(/^0a1b2c3d +node=pve\*,kind=link-problem +until ended +root@a +-$/m);
    expect(stdout).toMatch(/^4e5f6071 +all +(59|60) s +root@a +-$/m);
    expect((await rig.run(["silence", "remove", "0a1b2c3d"])).stdout).toBe(
      "Silence 0a1b2c3d is removed: what it held back and is still wrong is told.\n",
    );
    expect((await rig.json(["silence", "remove", "x"])).document).toEqual({
      schema: 1,
      id: "x",
      removed: true,
    });
  });
});

describe("what was typed wrongly ends with 2 before anyone is asked", () => {
  it.each([
    ["a length that is too short", ["--for", "59s"], "--for 59s is shorter than 1m"],
    ["a length that is too long", ["--for", "366d"], "--for 366d is longer than 365d"],
    ["what is no length", ["--for", "soon"], '"soon" is not a duration'],
    ["a reason that is too long", ["--why", "x".repeat(201)], "--why has 201 characters"],
  ])("%s", async (_, options, message) => {
    const before = asked.length;
    for (const verb of [
      ["maintenance", "on", "b"],
      ["silence", "add", "all"],
    ]) {
      const { code, stderr } = await rig.run([...verb, ...options]);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
    }
    expect(asked).toHaveLength(before);
  });
});

describe("what the daemon refuses", () => {
  const refusing =
    (code: "node-unknown" | "usage"): (() => Promise<never>) =>
    () =>
      Promise.reject(
        new FailureError({ code, message: "no such", remedy: "There are: a, b.", retry: false }),
      );

  it("names what is known, and ends with the code of its kind", async () => {
    const own = await createRig({
      "maintenance-on": refusing("node-unknown"),
      "silence-add": refusing("usage"),
    });
    expect(await own.run(["maintenance", "on", "x"])).toEqual({
      code: 1,
      stdout: "",
      stderr: "balefire: no such\n  fix: There are: a, b.\n",
    });
    expect((await own.run(["silence", "add", "kind=x"])).code).toBe(2);
    await own.close();
  });

  it("no daemon ends with 4", async () => {
    for (const args of [
      ["maintenance", "list"],
      ["silence", "add", "all"],
    ])
      expect((await rig.run(args, { env: { BALEFIRE_SOCKET: "/nonexistent/socket" } })).code).toBe(4);
  });
});

describe("status and nodes", () => {
  it("show who is in maintenance, by whom and why, and who comes and goes", async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const own = await createRig({
      status: async () => {
        const report = await sampleHandlers.status({});
        const [first, second] = report.nodes;
        if (first === undefined || second === undefined) throw new Error("the sample has two nodes");
        const maintenance = { at: until, until, by: "anna@a", why: "new disk" };
        const nodes = [first, { ...second, verdict: "missing", maintenance, expected: "sometimes" as const }];
        return { ...report, nodes, silences: 2, quietUntil: until };
      },
    });
    const { code, stdout } = await own.run(["status"]);
    expect(code).toBe(0);
    expect(flat(stdout)).toMatch(/b: in maintenance until \d{4}-.{14}, by anna@a: new disk/);
    expect(flat(stdout)).toContain("b: comes and goes: nobody is told of its absence");
    expect(flat(stdout)).toContain("b: not heard by anyone since this node started");
    expect(stdout).toContain("2 silences in force: balefire silence list");
    expect(stdout).toMatch(/^Quiet hours until \d{4}/m);
    expect((await own.run(["nodes"])).stdout).toMatch(
      /held back {2}in maintenance until .*, by anna@a: new disk/,
    );
    await own.close();
  });
});
