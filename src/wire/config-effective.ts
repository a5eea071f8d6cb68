/** What a node runs with: defaults, its own file, what the mesh shares, and the environment, in that order. */
import { failure, ok, type Result } from "../kit/result.ts";
import type { Duration } from "../kit/time.ts";
import type { ChannelConfig } from "./channel-config.ts";
import { nearest } from "./config-nearest.ts";
import {
  BEAT_DEFAULT,
  BEAT_LEAST,
  BEAT_MOST,
  type Config,
  type ConfigDocument,
  checkDuration,
  GRACE_DEFAULT,
  GRACE_MOST,
  LOG_LEVEL_DEFAULT,
  LOG_LEVELS,
  type LogLevel,
  written,
} from "./config-schema.ts";
import { masked } from "./config-secrecy.ts";
import type { ConfigEffectiveReport } from "./rpc.ts";

export type ConfigOrigin = ConfigEffectiveReport["settings"][number]["origin"];

/** By dotted key; a channel is `channels.NAME`. */
export type ConfigOrigins = Readonly<Record<string, ConfigOrigin>>;

export interface EffectiveConfig {
  readonly config: Config;
  readonly origins: ConfigOrigins;
}

export interface ConfigSources {
  /** The node's own file, parsed. */
  readonly file?: ConfigDocument | undefined;
  /** The document in the roster, parsed. */
  readonly shared?: ConfigDocument | undefined;
  /** The process environment; only `BALEFIRE_POLICY_*`, `BALEFIRE_MESH_*` and `BALEFIRE_LOG_*` are looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Fails with `config-invalid` when the environment does not hold what it should. */
export function effectiveConfig(sources: ConfigSources): Result<EffectiveConfig> {
  const overrides = readEnvironment(sources.env);
  if (!overrides.ok) return overrides;
  const { file = {}, shared = {} } = sources;
  const { grace: graceOverride, beat: beatOverride, level: levelOverride } = overrides.value;

  const beat = pick(BEAT_DEFAULT, file.mesh?.beat, shared.mesh?.beat, beatOverride);
  const grace = pick(
    GRACE_DEFAULT,
    file.policy?.daemonDown?.grace,
    shared.policy?.daemonDown?.grace,
    graceOverride,
  );
  const level = pick(LOG_LEVEL_DEFAULT, file.log?.level, undefined, levelOverride);
  const channels = mergeChannels(file.channels ?? [], shared.channels ?? []);
  return ok({
    config: {
      channels: channels.map(({ channel }) => channel),
      policy: { daemonDown: { grace: grace.value } },
      mesh: { beat: beat.value },
      log: { level: level.value },
    },
    origins: {
      "policy.daemonDown.grace": grace.origin,
      "mesh.beat": beat.origin,
      "log.level": level.origin,
      ...Object.fromEntries(channels.map(({ channel, origin }) => [`channels.${channel.name}`, origin])),
    },
  });
}

/** The later source wins. */
function pick<T>(
  byDefault: T,
  file: T | undefined,
  shared: T | undefined,
  environment: T | undefined,
): { readonly value: T; readonly origin: ConfigOrigin } {
  if (environment !== undefined) return { value: environment, origin: "environment" };
  if (shared !== undefined) return { value: shared, origin: "shared" };
  if (file !== undefined) return { value: file, origin: "file" };
  return { value: byDefault, origin: "default" };
}

function mergeChannels(
  own: readonly ChannelConfig[],
  shared: readonly ChannelConfig[],
): { readonly channel: ChannelConfig; readonly origin: ConfigOrigin }[] {
  const sharedNames = new Set(shared.map(({ name }) => name));
  return [
    ...shared.map((channel) => ({ channel, origin: "shared" as const })),
    ...own
      .filter(({ name }) => !sharedNames.has(name))
      .map((channel) => ({ channel, origin: "file" as const })),
  ];
}

interface Overrides {
  readonly grace: Duration | undefined;
  readonly beat: Duration | undefined;
  readonly level: LogLevel | undefined;
}

export const CONFIG_ENVIRONMENT: readonly string[] = [
  "BALEFIRE_POLICY_DAEMON_DOWN_GRACE",
  "BALEFIRE_MESH_BEAT",
  "BALEFIRE_LOG_LEVEL",
];

function readEnvironment(env: ConfigSources["env"]): Result<Overrides> {
  for (const name of Object.keys(env)) {
    if (!/^BALEFIRE_(POLICY|MESH|LOG)_/.test(name) || CONFIG_ENVIRONMENT.includes(name)) continue;
    const candidate = nearest(name, CONFIG_ENVIRONMENT);
    const fix =
      candidate === undefined ? `Known: ${CONFIG_ENVIRONMENT.join(", ")}.` : `Did you mean ${candidate}?`;
    return failure("config-invalid", `the environment variable ${name} is not known`, fix);
  }
  const grace = durationFrom(env, "BALEFIRE_POLICY_DAEMON_DOWN_GRACE", 0 as Duration, GRACE_MOST);
  if (!grace.ok) return grace;
  const beat = durationFrom(env, "BALEFIRE_MESH_BEAT", BEAT_LEAST, BEAT_MOST);
  if (!beat.ok) return beat;
  const level = env.BALEFIRE_LOG_LEVEL;
  if (level !== undefined && !isLogLevel(level)) {
    return failure(
      "config-invalid",
      "BALEFIRE_LOG_LEVEL holds no known level",
      `Set it to one of ${LOG_LEVELS.join(", ")}.`,
    );
  }
  return ok({ grace: grace.value, beat: beat.value, level });
}

const isLogLevel = (text: string): text is LogLevel => (LOG_LEVELS as readonly string[]).includes(text);

function durationFrom(
  env: ConfigSources["env"],
  name: string,
  least: Duration,
  most: Duration,
): Result<Duration | undefined> {
  const text = env[name];
  if (text === undefined) return ok(undefined);
  const checked = checkDuration(text, least, most);
  if (typeof checked === "number") return ok(checked);
  return failure("config-invalid", `${name}: ${checked.message}`, checked.fix);
}

/** The effective configuration for `config show`, each setting with its origin; all that may be secret is `***`. */
export function effectiveSettings({ config, origins }: EffectiveConfig): ConfigEffectiveReport["settings"] {
  const origin = (key: string): ConfigOrigin => origins[key] ?? "default";
  const plain: readonly (readonly [string, unknown])[] = [
    ["mesh.beat", written(config.mesh.beat)],
    ["policy.daemonDown.grace", written(config.policy.daemonDown.grace)],
    ["log.level", config.log.level],
  ];
  return [
    ...plain.map(([key, value]) => ({ key, value, origin: origin(key) })),
    ...config.channels.map((channel, index) => {
      const key = `channels.${channel.name}`;
      return { key, value: masked(channel, ["channels", index]), origin: origin(key) };
    }),
  ];
}

const OPEN_TO_OTHERS = 0o066;

/**
 * Refuses a configuration file with channels that anyone but its owner may read or write:
 * their settings hold secrets. `mode` is `stat().mode`.
 */
export function configPermissionProblem(
  mode: number,
  config: ConfigDocument,
  file: string,
): Result<undefined> {
  const secret = (config.channels ?? []).length > 0;
  if (!secret || (mode & OPEN_TO_OTHERS) === 0) return ok(undefined);
  return failure(
    "state-permissions",
    `${file} holds secrets of channels, and others than its owner may read or write it (mode ${(mode & 0o777).toString(8)})`,
    `Run: chmod 600 ${file}`,
  );
}
