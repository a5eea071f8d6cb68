import { describe, expect, it } from "vitest";
import { parseConfig } from "./config.ts";
import { configPermissionProblem, effectiveConfig, effectiveSettings } from "./config-effective.ts";
import type { ConfigDocument } from "./config-schema.ts";

function document(text: string, scope: "file" | "shared" = "file"): ConfigDocument {
  const parsed = parseConfig(text, "config.yaml", scope);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}
function effective(sources: Parameters<typeof effectiveConfig>[0]) {
  const result = effectiveConfig(sources);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}
const SECRET = "very-secret-word";
const file = document(
  `channels: [{name: own, type: webhook, url: "https://own.example/${SECRET}", secret: ${SECRET}}, {name: both, type: webhook, url: https://own.example}]
policy: {daemonDown: {grace: 1s}}
mesh: {beat: 1s}
log: {level: debug}`,
);
const shared = document(
  `channels: [{name: both, type: webhook, url: "https://shared.example/${SECRET}", headers: {X-Key: ${SECRET}}}]
mesh: {beat: 2s}`,
  "shared",
);

describe("the effective configuration", () => {
  it("has a default for everything", () => {
    expect(effective({ env: {} })).toEqual({
      config: {
        channels: [],
        policy: { daemonDown: { grace: 15_000 } },
        mesh: { beat: 200 },
        log: { level: "info" },
      },
      origins: { "mesh.beat": "default", "policy.daemonDown.grace": "default", "log.level": "default" },
    });
  });

  it("takes the file, over it the shared document, over it the environment", () => {
    const { config, origins } = effective({ file, shared, env: { BALEFIRE_LOG_LEVEL: "error" } });
    expect(config.mesh.beat).toBe(2000);
    expect(config.policy.daemonDown.grace).toBe(1000);
    expect(config.log.level).toBe("error");
    expect(origins).toMatchObject({
      "mesh.beat": "shared",
      "policy.daemonDown.grace": "file",
      "log.level": "environment",
    });
    const beaten = effective({
      file,
      shared,
      env: { BALEFIRE_MESH_BEAT: "3s", BALEFIRE_POLICY_DAEMON_DOWN_GRACE: "0s" },
    });
    expect(beaten.config.mesh.beat).toBe(3000);
    expect(beaten.config.policy.daemonDown.grace).toBe(0);
  });

  it("adds a node's own channels; the shared one wins by name", () => {
    const { config, origins } = effective({ file, shared, env: {} });
    expect(config.channels.map(({ name, url }) => [name, new URL(url).host])).toEqual([
      ["both", "shared.example"],
      ["own", "own.example"],
    ]);
    expect(origins).toMatchObject({ "channels.both": "shared", "channels.own": "file" });
  });

  it.each([
    ["BALEFIRE_MESH_BEAT", "fast", "BALEFIRE_MESH_BEAT"],
    ["BALEFIRE_MESH_BEAT", "1ms", "shorter than 50ms"],
    ["BALEFIRE_MESH_BEAT", "", "BALEFIRE_MESH_BEAT"],
    ["BALEFIRE_LOG_LEVEL", "loud", "BALEFIRE_LOG_LEVEL"],
    ["BALEFIRE_MESH_BAET", "1s", "BALEFIRE_MESH_BAET"],
  ])("refuses %s=%s in the environment", (name, value, message) => {
    expect(effectiveConfig({ env: { [name]: value } })).toMatchObject({
      ok: false,
      error: {
        code: "config-invalid",
        message: expect.stringContaining(message),
        remedy: expect.any(String),
      },
    });
  });

  it("leaves variables alone that are not settings", () => {
    expect(effectiveConfig({ env: { BALEFIRE_STATE_DIR: "/x", BALEFIRE_SOCKET: "/y", HOME: "/" } }).ok).toBe(
      true,
    );
  });
});

describe("shown to a person", () => {
  it("every setting has its origin, durations read as they are written, secrets are masked", () => {
    const settings = effectiveSettings(effective({ file, shared, env: {} }));
    expect(settings).toEqual([
      { key: "mesh.beat", value: "2s", origin: "shared" },
      { key: "policy.daemonDown.grace", value: "1s", origin: "file" },
      { key: "log.level", value: "debug", origin: "file" },
      {
        key: "channels.both",
        value: { name: "both", type: "webhook", url: "***", headers: { "X-Key": "***" } },
        origin: "shared",
      },
      {
        key: "channels.own",
        value: { name: "own", type: "webhook", url: "***", secret: "***" },
        origin: "file",
      },
    ]);
    expect(JSON.stringify(settings)).not.toContain(SECRET);
  });
});

describe("the permissions of a file with channels", () => {
  it.each([
    [0o100600, true],
    [0o100400, true],
    [0o100640, false],
    [0o100604, false],
    [0o100620, false],
    [0o100602, false],
  ])("%o: accepted is %s", (mode, accepted) => {
    const checked = configPermissionProblem(mode, file, "/etc/balefire/config.yaml");
    expect(checked.ok).toBe(accepted);
    if (!checked.ok) {
      expect(checked.error.code).toBe("state-permissions");
      expect(checked.error.remedy).toContain("chmod 600 /etc/balefire/config.yaml");
    }
  });
  it("do not matter where there is no channel", () => {
    expect(configPermissionProblem(0o100644, document("log: {level: info}"), "x").ok).toBe(true);
  });
});
