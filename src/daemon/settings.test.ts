import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
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
