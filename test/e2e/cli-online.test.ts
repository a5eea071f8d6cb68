import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FailureError } from "../../src/kit/result.ts";
import type { IncidentReport, RpcHandlers } from "../../src/wire/rpc.ts";
import { BALEFIRE, createRig, degraded, healthy, type Rig, sampleHandlers } from "./cli-rig.ts";

const ESCAPE = "\u001b";

let rig: Rig;
const failing =
  (code: "channel-unknown" | "not-keymaster", message: string): (() => Promise<never>) =>
  () =>
    Promise.reject(new FailureError({ code, message, remedy: "Do this.", retry: false }));

beforeAll(async () => {
  rig = await createRig();
});
afterAll(() => rig.close());

/** A daemon that answers as the test says, for as long as `work` takes. */
async function withDaemon<T>(handlers: Partial<RpcHandlers>, work: (rig: Rig) => Promise<T>): Promise<T> {
  const own = await createRig(handlers);
  try {
    return await work(own);
  } finally {
    await own.close();
  }
}

describe("status", () => {
  it("shows what this node sees and how sure it is, within 80 columns", async () => {
    const { code, stdout, stderr } = await withDaemon({ status: async () => degraded }, ({ run }) =>
      run(["status"]),
    );
    expect({ code, stderr }).toEqual({ code: 3, stderr: "" });
    const lines = stdout.split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).toContain("a: degraded  (balefire 0.1.0)");
    expect(stdout).toContain("roster term 1, epoch 3, keymaster a");
    expect(lines.find((line) => line.startsWith("NODE"))).toMatch(
      /^NODE +VERDICT +FOR +PATH +RTT +HEARD +CERTIFICATE$/,
    );
    expect(lines.find((line) => line.startsWith("a "))).toMatch(/^a +this node +3 min +- +- +- +29 d$/);
    expect(lines.find((line) => line.startsWith("b "))).toMatch(
      /^b +alive +3 min +datagram +0\.4 ms +(now|\d.* ago) +29 d$/,
    );
    expect(lines.find((line) => line.startsWith("c "))).toMatch(
      /^c +host-down +\d\.\d s +- +- +\d\.\d s ago +29 d$/,
    );
    expect(stdout).toContain("a-name-as");
    expect(stdout).toContain("  c: down: most of its observers hear nothing");
    expect(stdout).toContain("1 open incident: balefire incidents");
    expect(stdout).toContain("  - no channel is proven");
    expect(stdout).not.toContain(ESCAPE);
  });

  it("ends with 0 when all is well, and is the daemon's own document with --json", async () => {
    expect((await rig.run(["status"])).code).toBe(0);
    const { code, document } = await rig.json(["status"]);
    expect(code).toBe(0);
    expect(document).toMatchObject({ ...healthy, nodes: [{ name: "a", path: "self" }, { name: "b" }] });
    const { stdout } = await rig.run(["--json", "status"]);
    expect(stdout).toMatch(/^\{"schema":1,.*\}\n$/);
  });

  it("tells of names with control characters without obeying them", async () => {
    const nodes = healthy.nodes.map((node) => ({ ...node, name: `${ESCAPE}[2J\u009b\u202e\n${node.name}` }));
    const { stdout } = await withDaemon({ status: async () => ({ ...healthy, nodes }) }, ({ run }) =>
      run(["status"]),
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must be absent.
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(stdout).toContain("?[2J??");
  });

  it("is coloured where colour is wanted, and only there", async () => {
    const coloured = await rig.run(["status"], { env: { FORCE_COLOR: "1" } });
    expect(coloured.stdout).toContain(`${ESCAPE}[32m`);
    const plain = await rig.run(["status"], { env: { NO_COLOR: "1" } });
    expect(plain.stdout).not.toContain(ESCAPE);
  });
});

describe("status --watch outside a terminal", () => {
  it("prints each event as a line until interrupted, and then ends well", async () => {
    const { code, stdout } = await rig.run(["status", "--watch"], {
      onOutput: (text, interrupt) => {
        if (text.split("\n").length > 2) interrupt();
      },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^\d\d:\d\d:\d\d b: alive -> suspect \(no beat for 0\.6 s\)\n\d\d:\d\d:\d\d message delivered by phone: b is down \(200\)\n$/,
    );
  });

  it("prints each as a document with --json", async () => {
    const { code, stdout } = await rig.run(["status", "--watch", "--json"], {
      onOutput: (text, interrupt) => {
        if (text.split("\n").length > 2) interrupt();
      },
    });
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events).toMatchObject([
      { schema: 1, event: "verdict", to: "suspect" },
      { schema: 1, event: "message" },
    ]);
  });

  it("ends with 4 when the daemon goes", async () => {
    const own = await createRig();
    const ended = own.run(["status", "--watch"], { onOutput: () => void own.close() });
    expect(await ended).toMatchObject({ code: 4, stderr: expect.stringContaining("closed the connection") });
  });
});

describe("looking", () => {
  it("nodes: every node with identity and addresses", async () => {
    const { stdout } = await rig.run(["nodes"]);
    expect(stdout).toContain("a  this node  keymaster");
    expect(stdout).toMatch(/^b {2}alive$/m);
    expect(stdout).toContain("address    10.0.0.98:7654");
    expect((await rig.json(["nodes"])).document).toMatchObject({
      schema: 1,
      nodes: [{ name: "a" }, { name: "b" }],
    });
  });

  it("incidents: evidence and who was told", async () => {
    const { stdout } = await rig.run(["incidents"]);
    expect(stdout).toContain("c: host-down  open  since");
    expect(stdout).toMatch(/evidence {2}a last heard it .*, probe: silent/);
    expect(stdout).toContain("b never heard it, probe: silent");
    expect(stdout).toMatch(/told {6}open on phone: delivered by b \(200 OK\)/);
    expect((await rig.json(["incidents"])).document).toMatchObject({ schema: 1, incidents: [{ name: "c" }] });
  });

  it("incidents: of every kind, with what holds messages about them back", async () => {
    const { incidents } = await sampleHandlers.incidents({});
    const [down] = incidents;
    if (down === undefined) throw new Error("the sample has an incident");
    const until = "2026-03-01T02:13:07Z";
    const kinds: readonly IncidentReport[] = [
      { ...down, name: "l", kind: "link-problem", verdict: "link-problem", topic: "b", detail: "TCP passes" },
      { ...down, name: "p", kind: "link-problem", verdict: "link-problem", topic: "path 10.0.0.9:7654" },
      { ...down, name: "f", kind: "flapping", verdict: "host-down", topic: "down" },
      { ...down, name: "m", kind: "missing", verdict: "missing", heldBack: { why: "quiet hours", until } },
      { ...down, name: "r", kind: "restarted", verdict: "alive", state: "note", until },
    ];
    await withDaemon(
      { incidents: async () => ({ schema: 1, at: until, incidents: kinds }) },
      async ({ run }) => {
        const { stdout } = await run(["incidents"]);
        expect(stdout).toMatch(/^l: link-problem, not heard by b {2}open/m);
        expect(stdout).toMatch(/^ {2}detail {4}TCP passes$/m);
        expect(stdout).toMatch(/^p: link-problem, not at 10\.0\.0\.9:7654 {2}open/m);
        expect(stdout).toMatch(/^f: flapping \(down\) {2}open/m);
        expect(stdout).toMatch(/^m: missing {2}open/m);
        expect(stdout).toMatch(/^ {2}held back quiet hours, until 2026-03-01 /m);
        expect(stdout).toMatch(/^r: restarted {2}note {2}since .* until 2026-03-01 /m);
      },
    );
  });

  it("inbox: the messages in full", async () => {
    const { stdout } = await rig.run(["inbox"]);
    expect(stdout).toMatch(/c is down\n {2}Nobody hears c\.\n {2}Last heard 5 s ago\.\n {2}told by b\n$/);
    expect((await rig.json(["inbox"])).document).toMatchObject({ schema: 1, messages: [{ id: "m1" }] });
  });

  it("none of them says so", async () => {
    const none: Partial<RpcHandlers> = {
      incidents: async () => ({ schema: 1, at: healthy.at, incidents: [] }),
      inbox: async () => ({ schema: 1, messages: [] }),
      "notify-list": async () => ({ schema: 1, channels: [], heartbeats: [] }),
      "maintenance-list": async () => ({ schema: 1, maintenances: [] }),
      "silence-list": async () => ({ schema: 1, silences: [] }),
      "token-list": async () => ({ schema: 1, tokens: [] }),
    };
    await withDaemon(none, async ({ run }) => {
      const said = await Promise.all(
        [
          ["incidents"],
          ["inbox"],
          ["notify", "list"],
          ["token", "list"],
          ["maintenance", "list"],
          ["silence", "list"],
        ].map((args) => run(args)),
      );
      expect(said.map(({ code, stdout }) => [code, stdout.split(".")[0]])).toEqual([
        [0, "No incidents"],
        [0, "No messages"],
        [0, "No channels"],
        [0, "No tokens"],
        [0, "No node is in maintenance"],
        [0, "No silences"],
      ]);
    });
  });

  it("doctor: each finding with its remedy; 3 when something is not well", async () => {
    expect(await rig.run(["doctor"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("ok       clock: within 3 ms of b"),
    });
    const findings = [
      { check: "clock", level: "ok", finding: "fine", remedy: null },
      {
        check: "datagrams",
        level: "warning",
        finding: "none from b for 3 min",
        remedy: "Open UDP port 7654 on b.",
      },
    ] as const;
    await withDaemon({ doctor: async () => ({ schema: 1, findings }) }, async ({ run, json }) => {
      const { code, stdout } = await run(["doctor"]);
      expect(code).toBe(3);
      expect(stdout).toContain(
        "warning  datagrams: none from b for 3 min\n         -> Open UDP port 7654 on b.",
      );
      expect(stdout).toContain("1 finding to look at.");
      expect((await json(["doctor"])).code).toBe(3);
    });
  });
});

describe("notify", () => {
  it("test shows the receiver's own reply, for the channel that was named", async () => {
    const { code, stdout } = await rig.run(["notify", "test", "spare"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "spare: delivered\n  200 OK: thank you\n" });
    expect((await rig.json(["notify", "test"])).document).toMatchObject({
      schema: 1,
      results: [{ channel: "phone" }],
    });
  });

  it.each(["temporary", "permanent"] as const)(
    "test ends with 1 when a channel's failure is %s",
    async (outcome) => {
      const results = [
        { channel: "phone", outcome: "delivered", detail: "" },
        { channel: "spare", outcome, detail: "connection refused" },
      ] as const;
      await withDaemon({ "notify-test": async () => ({ schema: 1, results }) }, async ({ run, json }) => {
        expect(await run(["notify", "test"])).toMatchObject({
          code: 1,
          stdout: expect.stringContaining("connection refused"),
        });
        expect((await json(["notify", "test"])).code).toBe(1);
      });
    },
  );

  it("test of an unknown channel fails with the daemon's reason", async () => {
    await withDaemon({ "notify-test": failing("channel-unknown", "no channel x") }, async ({ run, json }) => {
      expect(await run(["notify", "test", "x"])).toEqual({
        code: 1,
        stdout: "",
        stderr: "balefire: no channel x\n  fix: Do this.\n",
      });
      expect(await json(["notify", "test", "x"])).toEqual({
        code: 1,
        document: {
          schema: 1,
          error: { code: "channel-unknown", message: "no channel x", remedy: "Do this." },
        },
      });
    });
  });

  it("list tells proven channels from unproven ones", async () => {
    const { stdout } = await rig.run(["notify", "list"]);
    expect(stdout).toMatch(/^phone +webhook +shared +proven +delivered by b 60 s ago: 200 OK$/m);
    expect(stdout).toMatch(/^spare +webhook +own +unproven +never tried$/m);
  });

  it("list tells heartbeats that beat from silent ones", async () => {
    const { stdout } = await rig.run(["notify", "list"]);
    expect(stdout).toMatch(/^outside +shared +60 s +beating +by b 20 s ago: 200 OK$/m);
    expect(stdout).toMatch(/^other +own +5 min +silent +never$/m);
    expect((await rig.json(["notify", "list"])).document).toMatchObject({
      heartbeats: [
        { name: "outside", everyMs: 60_000 },
        { name: "other", last: null },
      ],
    });
  });
});

describe("config", () => {
  it("show prints each setting with its origin", async () => {
    const { stdout } = await rig.run(["config", "show", "--effective"]);
    expect(stdout).toMatch(/^mesh\.beat +default +200ms$/m);
    expect(stdout).toMatch(/^channels\.phone\.url +shared +\*\*\*$/m);
  });

  it("apply hands over the text as it stands", async () => {
    let text = "";
    const apply: RpcHandlers["config-apply"] = async (params) => {
      text = params.text;
      return { schema: 1, term: 1, epoch: 9, changed: true };
    };
    await withDaemon({ "config-apply": apply }, async ({ run, folder }) => {
      const file = join(folder, "shared.yaml");
      const written = "# ours\nmesh: {beat: 1s}\n";
      await writeFile(file, written);
      expect(await run(["config", "apply", file])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("epoch 9"),
      });
      expect(text).toBe(written);
    });
  });

  it("apply refuses a bad file, or one with a node's own keys, before it asks anyone", async () => {
    let asked = false;
    const apply: RpcHandlers["config-apply"] = async () => {
      asked = true;
      return { schema: 1, term: 1, epoch: 9, changed: true };
    };
    await withDaemon({ "config-apply": apply }, async ({ run, folder }) => {
      const file = join(folder, "shared.yaml");
      await writeFile(file, "log: {level: debug}\n");
      expect(await run(["config", "apply", file])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("that node's own file"),
      });
      expect(asked).toBe(false);
    });
  });
});

describe("token", () => {
  it("create prints the token alone on standard output", async () => {
    const { code, stdout, stderr } = await rig.run(["token", "create", "pve2", "--expires", "30m"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "balefire-join-pve2\n" });
    expect(stderr).toContain("balefire join TOKEN");
    const { document } = await rig.json(["token", "create", "pve2"]);
    expect(document).toMatchObject({ schema: 1, token: "balefire-join-pve2" });
  });

  it("lasts an hour unless told otherwise", async () => {
    let life = 0;
    const create: RpcHandlers["token-create"] = async ({ name, expiresMs }) => {
      life = expiresMs;
      return { schema: 1, token: "t", id: "t1", name, expires: "2026-01-01T00:00:00Z" };
    };
    await withDaemon({ "token-create": create }, async ({ run }) => {
      await run(["token", "create", "b"]);
      expect(life).toBe(3_600_000);
      await run(["token", "create", "b", "--expires", "1h30m"]);
      expect(life).toBe(5_400_000);
    });
  });

  it("list and revoke", async () => {
    expect((await rig.run(["token", "list"])).stdout).toMatch(/^t1 +b +open +\d{4}-.* 59 min$/m);
    expect((await rig.run(["token", "revoke", "t1"])).stdout).toBe("Token t1 is revoked.\n");
    expect((await rig.json(["token", "revoke", "t1"])).document).toEqual({
      schema: 1,
      id: "t1",
      revoked: true,
    });
  });

  it("of a daemon that is not the keymaster is refused, not made behind its back", async () => {
    await withDaemon(
      { "token-create": failing("not-keymaster", "b is not the keymaster") },
      async ({ run }) => {
        expect(await run(["token", "create", "x"])).toMatchObject({
          code: 1,
          stderr: expect.stringContaining("b is not the keymaster"),
        });
      },
    );
  });
});

describe("a daemon that", () => {
  /** Answers on the socket with what `answer` gives for whatever is asked. */
  async function oddDaemon(answer: string | undefined): Promise<{ path: string; close: () => void }> {
    const path = join(rig.folder, `odd-${Math.random().toString(36).slice(2)}.sock`);
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () =>
        answer === undefined ? undefined : answer === "" ? socket.destroy() : socket.write(answer),
      );
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return { path, close: () => server.close() };
  }

  it.each([
    ["closes without an answer", "", 4, "closed the connection"],
    ["answers nonsense", "hello\n", 1, "makes no sense"],
    ["answers without result or error", '{"id":1}\n', 1, "makes no sense"],
    ["answers without end", "x".repeat(1_100_000), 1, "too long"],
  ])("%s is told apart from one that works", async (_, answer, code, message) => {
    const odd = await oddDaemon(answer);
    const ended = await rig.run(["status"], { env: { BALEFIRE_SOCKET: odd.path } });
    odd.close();
    expect(ended).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(message) });
  });

  it("hangs is given up after five seconds", async () => {
    const odd = await oddDaemon(undefined);
    const ended = await rig.run(["status"], { env: { BALEFIRE_SOCKET: odd.path } });
    odd.close();
    expect(ended).toMatchObject({ code: 4, stderr: expect.stringContaining("has not answered within 5 s") });
  });

  it("fails within is told apart from a failure it knows", async () => {
    await withDaemon({ status: () => Promise.reject(new Error("the secret word")) }, async ({ json }) => {
      const { code, document } = await json(["status"]);
      expect(code).toBe(1);
      expect(document).toMatchObject({ schema: 1, error: { code: "internal" } });
      expect(JSON.stringify(document)).not.toContain("secret word");
    });
  });
});

it("a reader that has seen enough ends the command without noise", async () => {
  const endless: RpcHandlers["watch"] = (emit) => {
    const timer = setInterval(
      () => emit({ schema: 1, event: "warning", at: "2026-01-01T00:00:00Z", text: "again" }),
      10,
    );
    return () => clearInterval(timer);
  };
  await withDaemon({ watch: endless }, async ({ run }) => {
    const script = '"$0" --help | true; "$0" incidents | true; "$0" status --watch | head -1 >/dev/null';
    const { code, stderr } = await run(["-c", script, BALEFIRE], { program: "/bin/sh" });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});
