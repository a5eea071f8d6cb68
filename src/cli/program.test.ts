import { describe, expect, it } from "vitest";
import { failure, ok } from "../kit/result.ts";
import type { InitOptions, JoinOptions, Operations, RunOptions } from "./operations.ts";
import { runCommandLine } from "./program.ts";

const unexpected = async (): Promise<never> => {
  throw new Error("not asked for in this test");
};
const none: Operations = {
  init: unexpected,
  join: unexpected,
  run: unexpected,
  tokenCreateOffline: unexpected,
  tokenListOffline: unexpected,
  tokenRevokeOffline: unexpected,
  readConfigText: () => Promise.resolve({ ok: true, value: undefined }),
  recoveryVerify: unexpected,
  sensors: unexpected,
  sensorsAsLm: unexpected,
  readRecoveryFile: unexpected,
  version: () => "9.9.9",
};

async function run(
  args: readonly string[],
  operations: Partial<Operations> = {},
  env: NodeJS.ProcessEnv = {},
) {
  let stdout = "";
  let stderr = "";
  const code = await runCommandLine({
    args,
    operations: { ...none, ...operations },
    out: { write: (text: string) => (stdout += text) },
    err: { write: (text: string) => (stderr += text) },
    env: { BALEFIRE_SOCKET: "/nonexistent/socket", ...env },
    signal: new AbortController().signal,
  });
  return { code, stdout, stderr };
}

const OUTCOME = { mesh: "m-1", node: "n-1", recoveryCode: "AAAAA-BBBBB", recoveryFile: "/s/recovery" };

describe("init", () => {
  const init =
    (seen: InitOptions[] = []): Operations["init"] =>
    async (options) => {
      seen.push(options);
      options.announce(OUTCOME);
      return ok(OUTCOME);
    };

  it("prints the recovery code once, where its file lies, and what comes next", async () => {
    const { code, stdout } = await run(["init", "--name", "a", "--address", "10.0.0.1"], { init: init() });
    expect(code).toBe(0);
    expect(stdout.split("AAAAA-BBBBB")).toHaveLength(2);
    expect(stdout).toContain("/s/recovery");
    expect(stdout).toContain("Write it down");
    expect(stdout).toContain("balefire token create");
    expect(stdout).toContain("Made mesh m-1.");
  });

  it("prints one document with --json", async () => {
    const { stdout } = await run(["init", "--name", "a", "--address", "10.0.0.1", "--json"], {
      init: init(),
    });
    expect(stdout).toBe(`${JSON.stringify({ schema: 1, ...OUTCOME, name: "a" })}\n`);
  });

  it("hands over every address, and the state folder as an absolute path", async () => {
    const seen: InitOptions[] = [];
    await run(
      ["--state-dir", "x/y", "init", "--name", "a", "--address", "10.0.0.1", "--address", "[fd00::1]:7"],
      {
        init: init(seen),
      },
    );
    expect(seen[0]).toMatchObject({
      name: "a",
      addresses: ["10.0.0.1", "[fd00::1]:7"],
      stateDir: `${process.cwd()}/x/y`,
    });
  });

  it("says nothing of a mesh that was not made", async () => {
    const { code, stdout, stderr } = await run(["init", "--name", "a", "--address", "10.0.0.1"], {
      init: async () => failure("state-exists", "there is one already", "Nothing to do."),
    });
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: "balefire: there is one already\n  fix: Nothing to do.\n",
    });
  });
});

describe("join", () => {
  const joined = { mesh: "m-1", node: "n-2", name: "b", addresses: ["10.0.0.2:7654"], already: false };

  it("tells its progress on standard error and the end on standard output", async () => {
    const seen: JoinOptions[] = [];
    const { code, stdout, stderr } = await run(
      ["join", "TOKEN", "--via", "10.0.0.3", "--address", "10.0.0.2"],
      {
        join: async (options) => {
          seen.push(options);
          options.progress("calling 10.0.0.3");
          return ok(joined);
        },
      },
    );
    expect(code).toBe(0);
    expect(stderr).toBe("calling 10.0.0.3\n");
    expect(stdout).toContain("Joined mesh m-1 as b (n-2).");
    expect(seen[0]).toMatchObject({ token: "TOKEN", via: "10.0.0.3", addresses: ["10.0.0.2"] });
  });

  it("prints one document with --json", async () => {
    const { stdout } = await run(["join", "TOKEN", "--address", "10.0.0.2", "--json"], {
      join: async () => ok(joined),
    });
    expect(stdout).toBe(`${JSON.stringify({ schema: 1, ...joined })}\n`);
  });

  it("says when there was nothing to do", async () => {
    const { stdout } = await run(["join", "TOKEN", "--address", "10.0.0.2"], {
      join: async () => ok({ ...joined, already: true }),
    });
    expect(stdout).toContain("Nothing to do: this host is in mesh m-1 as b");
  });

  it("an address that makes no sense is wrong usage", async () => {
    const join = async () => failure("address-invalid", "address x: not an IP address");
    expect((await run(["join", "TOKEN", "--address", "x"], { join })).code).toBe(2);
  });
});

describe("run", () => {
  it("passes on the paths and ends with the daemon's exit code", async () => {
    const seen: RunOptions[] = [];
    const operations: Partial<Operations> = {
      run: async (options) => {
        seen.push(options);
        return 7;
      },
    };
    expect((await run(["run", "--state-dir", "/s"], operations)).code).toBe(7);
    await run(["run", "--config", "/c.yaml"], operations);
    await run(["run"], operations, { BALEFIRE_CONFIG: "/e.yaml" });
    expect(seen).toEqual([
      {
        stateDir: "/s",
        configPath: "/etc/balefire/config.yaml",
        configRequired: false,
        socketPath: "/nonexistent/socket",
      },
      {
        stateDir: "/var/lib/balefire",
        configPath: "/c.yaml",
        configRequired: true,
        socketPath: "/nonexistent/socket",
      },
      {
        stateDir: "/var/lib/balefire",
        configPath: "/e.yaml",
        configRequired: true,
        socketPath: "/nonexistent/socket",
      },
    ]);
  });
});

describe("tokens while no daemon runs", () => {
  it("are made on the state itself", async () => {
    const created = { schema: 1, token: "T", id: "t1", name: "b", expires: "2026-01-01T00:00:00Z" } as const;
    const { code, stdout } = await run(["token", "create", "b", "--state-dir", "/s", "--json"], {
      tokenCreateOffline: async (stateDir, name, expiresMs) => {
        expect([stateDir, name, expiresMs]).toEqual(["/s", "b", 3_600_000]);
        return ok(created);
      },
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(created);
  });

  it("fail with the reason when a daemon holds the state after all", async () => {
    const locked = async () => failure("state-locked", "a daemon uses /s", "Stop it.");
    const all = { tokenCreateOffline: locked, tokenListOffline: locked, tokenRevokeOffline: locked };
    for (const args of [["create", "b"], ["list"], ["revoke", "t1"]]) {
      const { code, stderr } = await run(["token", ...args], all);
      expect({ code, stderr }).toEqual({ code: 1, stderr: "balefire: a daemon uses /s\n  fix: Stop it.\n" });
    }
  });
});

it("a bug is not reported as a failure of the command", async () => {
  await expect(run(["token", "list"])).rejects.toThrow("not asked for");
});
