import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_POLICY } from "../core/types.ts";
import { unwrap } from "../kit/result.ts";
import { readFirstSettings, readSettings } from "./settings.ts";

describe("the settings a node starts with", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "balefire-settings-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const own = 'channels: [{name: phone, type: webhook, url: "http://127.0.0.1:9/"}]\n';
  const sources = (text: string) => {
    const configPath = join(folder, "config.yaml");
    writeFileSync(configPath, text, { mode: 0o600 });
    return { configPath, configRequired: true, env: {} };
  };

  it("go without a shared document that this release cannot read", async () => {
    const newer = "aKeyOfANewerRelease: true\n";
    const { settings, leftOut } = unwrap(await readFirstSettings(sources(own), newer));
    expect(settings.channelRefs).toEqual([{ name: "phone", type: "webhook" }]);
    expect(leftOut?.message).toMatch(/shared configuration.*aKeyOfANewerRelease/s);
    expect((await readSettings(sources(own), newer)).ok).toBe(false);
  });

  it("are the core's own defaults where nothing is written", async () => {
    const { policy } = unwrap(await readSettings(sources(""), ""));
    expect(policy).toEqual(DEFAULT_POLICY);
  });

  it("hold the policy as it is written", async () => {
    const text = `policy:
  linkProblem: {grace: 1m}
  missing: {after: 10s}
  planned: {grace: 1h}
  flap: off
  quietHours: {from: 22:00, to: 7:00, timezone: Europe/Berlin}
  nodes: {laptop: {expected: sometimes}, pve1: {expected: always, heat: off}}
sensors: {rules: [{class: nvme, warning: 60, sustain: 5m}]}
`;
    const { policy } = unwrap(await readSettings(sources(text), ""));
    expect(policy).toEqual({
      ...DEFAULT_POLICY,
      linkProblemGrace: 60_000,
      missingAfter: 10_000,
      plannedFor: 3_600_000,
      flap: undefined,
      quietHours: { from: 1320, to: 420, timeZone: "Europe/Berlin", severity: "warning" },
      sometimes: ["laptop"],
      heat: { unwatched: ["pve1"], rules: [{ class: "nvme", warning: 60, sustain: 300_000 }] },
    });
  });

  it("keep heartbeats apart from what is told messages", async () => {
    const text = own.replace("]", ', {name: outside, type: deadman, url: "http://127.0.0.1:9/", every: 2m}]');
    const { channels, channelRefs, heartbeats, heartbeatRefs } = unwrap(
      await readSettings(sources(text), ""),
    );
    expect([...channels.keys()]).toEqual(["phone", "inbox"]);
    expect(channelRefs.map(({ name }) => name)).toEqual(["phone"]);
    expect([...heartbeats.keys()]).toEqual(["outside"]);
    expect(heartbeatRefs).toEqual([{ name: "outside", every: 120_000 }]);
  });

  it("do not depend on a fallback that the shared document has no more", async () => {
    const text = own.replace("}]", ", fallback: mail}]");
    const { channelRefs } = unwrap(await readSettings(sources(text), ""));
    expect(channelRefs).toEqual([{ name: "phone", type: "webhook", fallback: "mail" }]);
  });

  it("need the node's own file to be right", async () => {
    const first = await readFirstSettings(sources("chanels: []\n"), "");
    expect(first).toMatchObject({ ok: false, error: { code: "config-invalid" } });
  });

  it("hold what is shared where that can be read", async () => {
    const shared = 'channels: [{name: mail, type: webhook, url: "http://127.0.0.1:9/"}]\n';
    const { settings, leftOut } = unwrap(await readFirstSettings(sources(own), shared));
    expect(settings.channelRefs.map(({ name }) => name).sort()).toEqual(["mail", "phone"]);
    expect(leftOut).toBeUndefined();
  });
});
