/** What this node runs with: its own file, what the mesh shares, the environment; and the channels made from it. */
import { readFile, stat } from "node:fs/promises";
import { createChannel, inbox } from "../adapters/channels/registry.ts";
import type { ChannelRef, Policy } from "../core/types.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import type { Channel } from "../ports/channel.ts";
import { parseConfig } from "../wire/config.ts";
import { configPermissionProblem, type EffectiveConfig, effectiveConfig } from "../wire/config-effective.ts";
import { formatProblems } from "../wire/config-problems.ts";
import type { ConfigDocument } from "../wire/config-schema.ts";
import { wallNow } from "./clock.ts";

export interface SettingsSources {
  readonly configPath: string;
  /** The person named the file, so it must exist. */
  readonly configRequired: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Settings {
  readonly effective: EffectiveConfig;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly channelRefs: readonly ChannelRef[];
  readonly policy: Policy;
}

/** Reads and checks everything; a problem names the file, line and fix. */
export async function readSettings(sources: SettingsSources, sharedText: string): Promise<Result<Settings>> {
  const file = await readOwnFile(sources);
  if (!file.ok) return file;
  const shared = parseConfig(sharedText, "the shared configuration", "shared");
  if (!shared.ok) return failure("config-invalid", formatProblems(shared.problems));
  const effective = effectiveConfig({ file: file.value, shared: shared.config, env: sources.env });
  return effective.ok ? ok(settingsOf(effective.value)) : effective;
}

async function readOwnFile({ configPath, configRequired }: SettingsSources): Promise<Result<ConfigDocument>> {
  let text: string;
  let mode: number;
  try {
    mode = (await stat(configPath)).mode;
    text = await readFile(configPath, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && !configRequired) return ok({});
    const remedy = "Name the file with --config, or make it; docs/configuration.md has an example.";
    return failure("config-invalid", `the configuration ${configPath} cannot be read (${code})`, remedy);
  }
  const parsed = parseConfig(text, configPath);
  if (!parsed.ok) return failure("config-invalid", formatProblems(parsed.problems));
  const permitted = configPermissionProblem(mode, parsed.config, configPath);
  return permitted.ok ? ok(parsed.config) : permitted;
}

function settingsOf(effective: EffectiveConfig): Settings {
  const { config } = effective;
  const made = config.channels.map((channel) => createChannel(channel, { wall: wallNow }));
  return {
    effective,
    channels: new Map([...made, inbox].map((channel) => [channel.name, channel])),
    channelRefs: config.channels.map(({ name, type }) => ({ name, type })),
    policy: { daemonDownGrace: config.policy.daemonDown.grace },
  };
}
