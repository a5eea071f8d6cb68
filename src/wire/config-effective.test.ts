import { describe, expect, it } from "vitest";
import { describeChannel } from "./channel-config.ts";
import { parseConfig } from "./config.ts";
import {
  CONFIG_ENVIRONMENT,
  configPermissionProblem,
  effectiveConfig,
  effectiveSettings,
} from "./config-effective.ts";
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
policy:
  daemonDown: {grace: 1s}
  missing: {after: 24h}
  quietHours: {from: "22:30", to: 7:00, timezone: Europe/Berlin, severity: info}
  nodes: {laptop: {expected: sometimes}}
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
    const settings = {
      "mesh.beat": 200,
      "policy.daemonDown.grace": 15_000,
      "policy.linkProblem.grace": 15_000,
      "policy.clock.grace": 60_000,
      "policy.missing.after": 300_000,
      "policy.planned.grace": 600_000,
      "policy.planned.note": "off",
      "policy.flap": { window: 600_000, quiet: 60_000 },
      "policy.quietHours": "off",
      "http.listen": "127.0.0.1:7655",
      "sensors.watch": "on",
      "sensors.every": 10_000,
      "sensors.sysfsRoot": "/sys",
      "sensors.rules": [],
      history: { size: 268_435_456, flush: 60_000 },
      "log.level": "info",
    };
    const { config, origins } = effective({ env: {} });
    expect(config).toEqual({ channels: [], nodes: [], settings });
    expect(Object.keys(origins)).toEqual(Object.keys(settings));
    expect(new Set(Object.values(origins))).toEqual(new Set(["default"]));
  });

  it("takes the file, over it the shared document, over it the environment", () => {
    const { config, origins } = effective({ file, shared, env: { BALEFIRE_LOG_LEVEL: "error" } });
    expect(config.settings).toMatchObject({
      "mesh.beat": 2000,
      "policy.daemonDown.grace": 1000,
      "log.level": "error",
    });
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
    expect(beaten.config.settings).toMatchObject({ "mesh.beat": 3000, "policy.daemonDown.grace": 0 });
  });

  it("takes every setting of one value from the environment", () => {
    const given = ["300ms", "1s", "2s", "4s", "30s", "3m", "on", "off", "off", "20s", "/other", "warning"];
    const env = Object.fromEntries(CONFIG_ENVIRONMENT.map((name, index) => [name, given[index]]));
    expect(effective({ file, shared, env }).config.settings).toMatchObject({
      "mesh.beat": 300,
      "policy.daemonDown.grace": 1000,
      "policy.linkProblem.grace": 2000,
      "policy.clock.grace": 4000,
      "policy.missing.after": 30_000,
      "policy.planned.grace": 180_000,
      "policy.planned.note": "on",
      "http.listen": "off",
      "sensors.watch": "off",
      "sensors.every": 20_000,
      "sensors.sysfsRoot": "/other",
      "log.level": "warning",
    });
  });

  it("takes a setting of several values whole from one place, and fills it with the defaults", () => {
    const sources = {
      file: document("policy: {flap: {window: 20m, quiet: 5s}}"),
      shared: document("policy: {flap: {quiet: 2m}}", "shared"),
      env: {},
    };
    const { config, origins } = effective(sources);
    expect(config.settings["policy.flap"]).toEqual({ window: 600_000, quiet: 120_000 });
    expect(origins["policy.flap"]).toBe("shared");
    expect(effective({ file: document("policy: {flap: off}"), env: {} }).config.settings).toMatchObject({
      "policy.flap": "off",
    });
  });

  it("adds what a node expects of others; what is shared about one counts", () => {
    const { config, origins } = effective({
      file: document("policy: {nodes: {laptop: {expected: sometimes}, pve1: {expected: sometimes}}}"),
      shared: document("policy: {nodes: {pve1: {expected: always}, pve2: {heat: off}}}", "shared"),
      env: {},
    });
    expect(config.nodes).toEqual([
      { name: "pve1", expected: "always", heat: "on" },
      { name: "pve2", expected: "always", heat: "off" },
      { name: "laptop", expected: "sometimes", heat: "on" },
    ]);
    expect(origins).toMatchObject({ "policy.nodes.pve1": "shared", "policy.nodes.laptop": "file" });
  });

  it("adds a node's own channels; the shared one wins by name", () => {
    const { config, origins } = effective({ file, shared, env: {} });
    expect(config.channels.map(describeChannel)).toEqual([
      "both (webhook, shared.example)",
      "own (webhook, own.example)",
    ]);
    expect(origins).toMatchObject({ "channels.both": "shared", "channels.own": "file" });
  });

  it.each([
    ["BALEFIRE_MESH_BEAT", "fast", "BALEFIRE_MESH_BEAT"],
    ["BALEFIRE_MESH_BEAT", "1ms", "shorter than 50ms"],
    ["BALEFIRE_MESH_BEAT", "", "BALEFIRE_MESH_BEAT"],
    ["BALEFIRE_LOG_LEVEL", "loud", "BALEFIRE_LOG_LEVEL"],
    ["BALEFIRE_MESH_BAET", "1s", "BALEFIRE_MESH_BAET"],
    ["BALEFIRE_POLICY_MISSING_AFTER", "9s", "shorter than 10s"],
    ["BALEFIRE_POLICY_FLAP", "off", "is not known"],
    ["BALEFIRE_HTTP_LISTEN", "0.0.0.0:7655", "not loopback"],
    ["BALEFIRE_HTTP_LISTNE", "off", "is not known"],
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
      { key: "policy.linkProblem.grace", value: "15s", origin: "default" },
      { key: "policy.clock.grace", value: "1m", origin: "default" },
      { key: "policy.missing.after", value: "24h", origin: "file" },
      { key: "policy.planned.grace", value: "10m", origin: "default" },
      { key: "policy.planned.note", value: "off", origin: "default" },
      { key: "policy.flap", value: { window: "10m", quiet: "1m" }, origin: "default" },
      {
        key: "policy.quietHours",
        value: { from: "22:30", to: "07:00", timezone: "Europe/Berlin", severity: "info" },
        origin: "file",
      },
      { key: "http.listen", value: "127.0.0.1:7655", origin: "default" },
      { key: "sensors.watch", value: "on", origin: "default" },
      { key: "sensors.every", value: "10s", origin: "default" },
      { key: "sensors.sysfsRoot", value: "/sys", origin: "default" },
      { key: "sensors.rules", value: [], origin: "default" },
      { key: "history", value: { size: "256MiB", flush: "1m" }, origin: "default" },
      { key: "log.level", value: "debug", origin: "file" },
      { key: "policy.nodes.laptop", value: { expected: "sometimes", heat: "on" }, origin: "file" },
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
