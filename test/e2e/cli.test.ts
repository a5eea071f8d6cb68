import { execFile, spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BALEFIRE, balefire, createRig, degraded, type Rig } from "./cli-rig.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "balefire-cli-"));
});
afterAll(() => rm(folder, { recursive: true }));

const ESCAPE = "\u001b";
const hasShell = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

describe("starting", () => {
  it("works from any folder and through a symbolic link", async () => {
    await mkdir(join(folder, "some where"));
    const program = join(folder, "some where", "balefire");
    await symlink(BALEFIRE, program);
    const { code, stdout } = await balefire(["version"], { program, cwd: folder });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^balefire \d+\.\d+\.\d+ \(Node v26/),
    });
  });

  it("says its version to programs", async () => {
    const { code, stdout } = await balefire(["--json", "version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\{"schema":1,"version":"\d/);
  });

  it("to help or to look at the daemon loads neither certificates, nor schemas, nor the daemon", async () => {
    // A require hook would see only CommonJS; the loader's own trace sees every module.
    for (const args of [["--help"], ["status"]]) {
      const { stderr } = await balefire(args, { env: { NODE_DEBUG: "esm", NODE_OPTIONS: "" } });
      expect(stderr).toContain("src/cli/program.ts");
      expect(stderr).not.toMatch(/node_modules\/(@peculiar|zod|yaml|koffi)|src\/daemon/);
    }
  });
});

describe("help", () => {
  it("lists every verb and the exit codes on standard output", async () => {
    const { code, stdout, stderr } = await balefire(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const verbs = [
      "init",
      "join",
      "run",
      "status",
      "nodes",
      "incidents",
      "inbox",
      "doctor",
      "token",
      "notify",
      "config",
    ];
    for (const verb of [...verbs, "completion", "version"])
      expect(stdout).toMatch(new RegExp(`^ {2}${verb}\\b`, "m"));
    expect(stdout).toContain("4 no daemon reached");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it("without a verb goes to standard error, and is wrong usage", async () => {
    const { code, stdout, stderr } = await balefire([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Usage: balefire");
  });
});

describe("wrong usage", () => {
  it.each([
    [["statsu"], "unknown command 'statsu'", "Did you mean status?"],
    [["token", "crate"], "unknown command 'crate'", "Did you mean create?"],
    [["status", "--wach"], "unknown option '--wach'", "Did you mean --watch?"],
    [["status", "extra"], "too many arguments", "--help"],
    [["init", "--name", "a"], "--address", "--help"],
    [["config", "apply"], "missing required argument 'file'", "--help"],
    [["completion", "tcsh"], "bash, zsh, fish", "--help"],
    [["token", "create", "b", "--expires", "soon"], '"soon" is not a duration', "1h"],
    [["token", "create", "b", "--expires", "31d"], "longer than 30 d", "1h"],
    [["token", "create", "b", "--expires", "0s"], '"0s" is not a duration', "1h"],
    [["init", "--name", "a", "--address", "pve1.example"], "pve1.example", "10.0.0.1"],
    [["join", "-", "--address", "10.0.0.1"], "there is no token", "token create"],
  ])("%j ends with 2 and says what to do", async (args, message, remedy) => {
    const { code, stdout, stderr } = await balefire(args, {
      env: { BALEFIRE_STATE_DIR: join(folder, "unused") },
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toContain(remedy);
  });

  it("with --json is a document on standard output", async () => {
    const { code, stdout } = await balefire(["statsu", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      schema: 1,
      error: { code: "usage", message: "unknown command 'statsu'", remedy: "Did you mean status?" },
    });
  });
});

describe("without a daemon", () => {
  it.each([
    ["status"],
    ["status", "--watch"],
    ["nodes"],
    ["incidents"],
    ["inbox"],
    ["notify", "test"],
    ["notify", "list"],
    ["doctor"],
  ])("%s %s ends with 4 and says how to start it", async (...args) => {
    const { code, stdout, stderr } = await balefire(args.filter((arg) => arg !== undefined));
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toContain("/nonexistent/socket");
    expect(stderr).toContain("systemctl start balefire");
  });

  it("a document says so with --json", async () => {
    const { code, stdout } = await balefire(["status", "--json"]);
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, error: { code: "daemon-unreachable" } });
    expect(stdout.startsWith('{"schema":1,')).toBe(true);
  });

  it("but its abandoned socket, the same", async () => {
    const path = join(folder, "dead.sock");
    const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", script]);
    const { code, stderr } = await balefire(["status"], { env: { BALEFIRE_SOCKET: path } });
    expect(code).toBe(4);
    expect(stderr).toContain("no daemon answers");
  });

  it("paths come from options before or after the verb, else from the environment", async () => {
    const socket = join(folder, "named.sock");
    for (const args of [
      ["--socket", socket, "status"],
      ["status", "--socket", socket],
      ["status", `--socket=${socket}`],
    ]) {
      expect((await balefire(args)).stderr).toContain(socket);
    }
    const empty = await balefire(["status"], { env: { BALEFIRE_SOCKET: "" } });
    expect(empty.stderr).toContain("/run/balefire/balefire.sock");
    const relative = await balefire(["status", "--socket", "named.sock"], { cwd: folder });
    expect(relative.stderr).toContain(socket);
  });
});

describe("config check", () => {
  const check = async (text: string, mode: number, ...args: string[]) => {
    const file = join(folder, "config.yaml");
    await writeFile(file, text);
    await chmod(file, mode);
    return { file, ...(await balefire(["config", "check", file, ...args])) };
  };
  const channel = "channels:\n  - {name: phone, type: webhook, url: https://ntfy.example/Zq9SeCrEt}\n";

  it("accepts a good file", async () => {
    const { code, stdout, file } = await check(channel, 0o600);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${file} is good: 1 channel.\n` });
  });

  it("shows each problem with its place, a caret and the fix, and no secret", async () => {
    const { code, stdout, stderr, file } = await check(
      `${channel.replace("name", "nam")}mesh: {beat: 2}\n`,
      0o600,
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      [
        `${file}:2:5: channels[0].name is missing`,
        "      - {nam: ***, type: webhook, url: ***}",
        "        ^",
        "  fix: Add name: phone",
        "",
        `${file}:2:6: "nam" is not a known key of channels[0]`,
        "      - {nam: ***, type: webhook, url: ***}",
        "         ^",
        "  fix: Did you mean name?",
        "",
        `${file}:3:14: mesh.beat: a duration needs a unit`,
        "    mesh: {beat: 2}",
        "                 ^",
        "  fix: Write the unit behind the number: ms, s, m, h or d (50ms to 5s).",
        "",
        `balefire: ${file} has 3 problems`,
        "",
      ].join("\n"),
    );
  });

  it("lists the problems with --json", async () => {
    const { code, stdout, file } = await check("mesh: {baet: 1s}", 0o600, "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      ok: false,
      problems: [{ file, line: 1, column: 8, fix: "Did you mean beat?" }],
      error: { code: "config-invalid" },
    });
  });

  it("refuses a file with channels that others may read, naming the command that closes it", async () => {
    const { code, stderr, file } = await check(channel, 0o644);
    expect(code).toBe(1);
    expect(stderr).toContain(`chmod 600 ${file}`);
  });

  it.each([
    ["that is not there", "/nonexistent/x.yaml", "there is no file"],
    ["that is a folder", "/etc", "is a folder"],
    ["that never ends", "/dev/zero", "is longer than"],
  ])("refuses a file %s", async (_, file, message) => {
    const { code, stderr } = await balefire(["config", "check", file]);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  it("refuses a file that is not text", async () => {
    const file = join(folder, "binary.yaml");
    await writeFile(file, Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]));
    const { code, stderr } = await balefire(["config", "check", file]);
    expect(code).toBe(1);
    expect(stderr).toContain("is not UTF-8 text");
  });

  it("refuses what the environment sets wrongly", async () => {
    const file = join(folder, "empty.yaml");
    await writeFile(file, "");
    const { code, stderr } = await balefire(["config", "check"], {
      env: { BALEFIRE_CONFIG: file, BALEFIRE_MESH_BEAT: "1ms" },
    });
    expect(code).toBe(1);
    expect(stderr).toContain("BALEFIRE_MESH_BEAT");
  });
});

describe("config show without a daemon", () => {
  it("shows file, defaults and environment with their origins, secrets masked", async () => {
    const file = join(folder, "shown.yaml");
    await writeFile(file, "channels: [{name: p, type: webhook, url: https://x.example/Zq9SeCrEt}]\n");
    const { code, stdout } = await balefire(["config", "show", "--effective", "--json"], {
      env: { BALEFIRE_CONFIG: file, BALEFIRE_LOG_LEVEL: "debug" },
    });
    expect(code).toBe(0);
    expect(stdout).not.toContain("Zq9SeCrEt");
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      offline: true,
      settings: expect.arrayContaining([
        { key: "mesh.beat", value: "200ms", origin: "default" },
        { key: "log.level", value: "debug", origin: "environment" },
        { key: "channels.p", value: { name: "p", type: "webhook", url: "***" }, origin: "file" },
      ]),
    });
  });

  it("does without the default file, not without one that was named", async () => {
    const named = await balefire(["config", "show", "--config", join(folder, "no.yaml")]);
    expect(named).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no file") });
  });
});

describe("completion", () => {
  const script = async (shell: string): Promise<string> => {
    const { code, stdout } = await balefire(["completion", shell]);
    expect(code).toBe(0);
    const file = join(folder, `completion.${shell}`);
    await writeFile(file, stdout);
    return file;
  };

  it.each(["bash", "zsh", "fish"])("for %s is valid where that shell is installed", async (shell) => {
    const file = await script(shell);
    if (!hasShell(shell)) return;
    const { status, stderr } = spawnSync(shell, ["-n", file], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it.each([
    [["balefire", "sta"], ["status"]],
    [
      ["balefire", "token", ""],
      ["create", "list", "revoke", "--help"],
    ],
    [["balefire", "--socket", "/x", "token", "cr"], ["create"]],
    [["balefire", "status", "--w"], ["--watch"]],
    [["balefire", "completion", "f"], ["fish"]],
    [["balefire", "init", "--name", ""], []],
    [["balefire", "token", "create", ""], ["--expires"]],
  ])("in bash completes %j to %j", async (words, expected) => {
    const file = await script("bash");
    const line = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _balefire; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", line, "bash", file, ...words], { encoding: "utf8" });
    expect(stderr).toBe("");
    const offered = stdout.split("\n").filter((word) => word !== "");
    expect(expected.length === 0 ? offered : expected.filter((word) => offered.includes(word))).toEqual(
      expected,
    );
  });
});

describe("the names of nodes", () => {
  let rig: Rig;
  let script: string;
  beforeAll(async () => {
    rig = await createRig({ status: async () => degraded });
    script = join(rig.folder, "completion.bash");
    await writeFile(script, (await rig.run(["completion", "bash"])).stdout);
  });
  afterAll(() => rig.close());

  /** What bash offers, asked as it asks: with the words before the cursor. */
  const offered = (words: readonly string[], socket = rig.socketPath): Promise<string[]> =>
    new Promise((resolve, reject) => {
      const line = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _balefire; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const env = { PATH: `${dirname(BALEFIRE)}:${process.env.PATH}`, BALEFIRE_SOCKET: socket };
      // The rig answers from this very process: it must not wait for the child.
      execFile("bash", ["--norc", "-c", line, "bash", script, ...words], { env }, (error, stdout, stderr) => {
        if (error !== null || stderr !== "") reject(error ?? new Error(stderr));
        else resolve(stdout.split("\n").filter((word) => word !== ""));
      });
    });

  it("are printed one a line", async () => {
    const { code, stdout } = await rig.run(["nodes", "--names"]);
    expect({ code, names: stdout.split("\n") }).toEqual({
      code: 0,
      names: [...degraded.nodes.map(({ name }) => name), ""],
    });
  });

  it.each([
    [["maintenance", "on", ""]],
    [["temps", ""]],
    [["blackbox", ""]],
    [["history", "cpu", "--node", ""]],
    [["certs", "renew", ""]],
    [["node", "remove", ""]],
  ])("are what bash offers after %j", async (words) => {
    const names = await offered(["balefire", ...words]);
    for (const { name } of degraded.nodes) expect(names).toContain(name);
  });

  it("are narrowed by what was typed, and no flag is mistaken for one", async () => {
    expect(await offered(["balefire", "maintenance", "off", "a-n"])).toEqual([degraded.nodes.at(-1)?.name]);
    expect(await offered(["balefire", "maintenance", "on", "--f"])).toEqual(["--for"]);
  });

  it("are missing without a daemon, without a word", async () => {
    expect(await offered(["balefire", "maintenance", "off", "a"], "/nonexistent/socket")).toEqual([]);
  });
});

describe("colour", () => {
  const file = "channels: []\n";
  it.each([
    ["none in a pipe", {}, false],
    ["forced into a pipe", { FORCE_COLOR: "1" }, true],
    ["none where NO_COLOR forbids it", { NO_COLOR: "1" }, false],
    ["none where FORCE_COLOR says 0", { FORCE_COLOR: "0" }, false],
  ])("%s", async (_, env, coloured) => {
    await writeFile(join(folder, "plain.yaml"), file);
    const { stdout } = await balefire(["config", "show", "--config", join(folder, "plain.yaml")], { env });
    expect(stdout.includes(ESCAPE)).toBe(coloured);
  });
});
