/** What this node runs with: its own file, what the mesh shares, the environment; and the channels made from it. */
import { createChannel, createHeartbeat, inbox } from "../adapters/channels/registry.ts";
import { readConfigText } from "../adapters/config-file/config-text.ts";
import type { ChannelRef, HeartbeatRef, Policy } from "../core/types.ts";
import { type Failure, failure, ok, type Result } from "../kit/result.ts";
import type { Channel } from "../ports/channel.ts";
import type { Heartbeat } from "../ports/heartbeat.ts";
import { channelRef, heartbeatRef, separated } from "../wire/channel-config.ts";
import { parseConfig } from "../wire/config.ts";
import { configPermissionProblem, type EffectiveConfig, effectiveConfig } from "../wire/config-effective.ts";
import { formatProblems } from "../wire/config-problems.ts";
import type { Config, ConfigDocument } from "../wire/config-schema.ts";
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
  readonly heartbeats: ReadonlyMap<string, Heartbeat>;
  readonly heartbeatRefs: readonly HeartbeatRef[];
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

export interface FirstSettings {
  readonly settings: Settings;
  /** Why the shared configuration is left out; absent where it is not. */
  readonly leftOut?: Failure;
}

/**
 * The same for a node that starts. A shared document that this release cannot read, such as one with
 * a key of a newer release, must not keep every node that restarts from watching: it goes without.
 */
export async function readFirstSettings(
  sources: SettingsSources,
  sharedText: string,
): Promise<Result<FirstSettings>> {
  const all = await readSettings(sources, sharedText);
  if (all.ok) return ok({ settings: all.value });
  const own = await readSettings(sources, "");
  return own.ok ? ok({ settings: own.value, leftOut: all.error }) : own;
}

async function readOwnFile({ configPath, configRequired }: SettingsSources): Promise<Result<ConfigDocument>> {
  const read = await readConfigText(configPath);
  if (!read.ok) return read;
  if (read.value === undefined) return configRequired ? missingFile(configPath) : ok({ settings: {} });
  const { text, mode } = read.value;
  const parsed = parseConfig(text, configPath);
  if (!parsed.ok) return failure("config-invalid", formatProblems(parsed.problems));
  const permitted = configPermissionProblem(mode, parsed.config, configPath);
  return permitted.ok ? ok(parsed.config) : permitted;
}

const missingFile = (path: string): Result<never> =>
  failure(
    "config-invalid",
    `there is no file ${path}`,
    "Name the file with --config, or make it; docs/configuration.md has an example.",
  );

function settingsOf(effective: EffectiveConfig): Settings {
  const { config } = effective;
  const { told, heartbeats } = separated(config.channels);
  const around = { wall: wallNow };
  const made = [...told.map((channel) => createChannel(channel, around)), inbox];
  const pinged = heartbeats.map((heartbeat) => createHeartbeat(heartbeat, around));
  return {
    effective,
    channels: new Map(made.map((channel) => [channel.name, channel])),
    channelRefs: told.map(channelRef),
    policy: policyOf(config),
    heartbeats: new Map(pinged.map((heartbeat) => [heartbeat.name, heartbeat])),
    heartbeatRefs: heartbeats.map(heartbeatRef),
  };
}

function policyOf({ settings, nodes }: Config): Policy {
  const flap = settings["policy.flap"];
  const quietHours = settings["policy.quietHours"];
  return {
    daemonDownGrace: settings["policy.daemonDown.grace"],
    linkProblemGrace: settings["policy.linkProblem.grace"],
    clockGrace: settings["policy.clock.grace"],
    missingAfter: settings["policy.missing.after"],
    plannedFor: settings["policy.planned.grace"],
    plannedNotes: settings["policy.planned.note"] === "on",
    flap: flap === "off" ? undefined : flap,
    quietHours: quietHours === "off" ? undefined : quietHours,
    heat: {
      unwatched: nodes.filter(({ heat }) => heat === "off").map(({ name }) => name),
      rules: settings["sensors.rules"],
    },
    sometimes: nodes.filter(({ expected }) => expected === "sometimes").map(({ name }) => name),
  };
}
