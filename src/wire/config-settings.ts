/**
 * Every plain setting: its key in the file, its default and its range. The schemas, the merging of
 * file, shared document and environment, and `config show` all read this table;
 * docs/configuration.md explains each key to the person who writes it.
 */
import * as z from "zod";
import type { HeatRule } from "../core/thermal/heat-policy.ts";
import type { FlapPolicy, QuietHours, Severity } from "../core/types.ts";
import { type Duration, days, hours, minutes, ms, seconds } from "../kit/time.ts";
import { isTimeZone } from "../kit/time-of-day.ts";
import { folder, HISTORY_DEFAULT, type HistoryLimits, heatRules, history } from "./config-heat.ts";
import {
  type Complaint,
  checked,
  choice,
  duration,
  orOff,
  timeOfDay,
  type ValueKind,
  written,
  writtenTimeOfDay,
} from "./config-values.ts";
import { HTTP_LISTEN_DEFAULT, type HttpListen, httpListen } from "./http-listen.ts";
import { severities } from "./incident-words.ts";

export const LOG_LEVELS = ["error", "warning", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** By the key that a person writes. */
export interface SettingValues {
  /**
   * Time between two beats to one observer. A subject is suspected after three periods of silence
   * plus the path's measured jitter, so half the period halves that part of the detection time and
   * doubles the traffic. Default: 200ms. Range: 50ms to 5s.
   */
  readonly "mesh.beat": Duration;
  /**
   * How long a host whose kernel answers may be without Balefire before a person is told; systemd
   * restarts a dead daemon within it. Default: 15s. Range: 0s to 60m.
   */
  readonly "policy.daemonDown.grace": Duration;
  /** How long two hosts may fail to hear one another before a person is told. Default: 15s. Range: 0s to 60m. */
  readonly "policy.linkProblem.grace": Duration;
  /**
   * How long a host's clock may be off before a person is told: at a boot a time service may have yet to
   * set it. Default: 60s. Range: 0s to 60m.
   */
  readonly "policy.clock.grace": Duration;
  /** A member not heard for this long since this node started is missing. Default: 5m. Range: 10s to 24h. */
  readonly "policy.missing.after": Duration;
  /**
   * How long a stop on purpose may last before a person is told, where no maintenance announced more.
   * Default: 10m. Range: 1s to 7d.
   */
  readonly "policy.planned.grace": Duration;
  /** Whether people are told, in a note, of stops on purpose and of maintenances. Default: off. */
  readonly "policy.planned.note": "on" | "off";
  /**
   * A second "down" within `window` of the first is told as flapping, until `quiet` has passed without
   * a change. `off`: every change is told. Default: 10m and 60s. Ranges: 10s to 24h, 1s to 60m.
   */
  readonly "policy.flap": FlapPolicy | "off";
  /**
   * A part of each day in which messages of `severity` and milder ones wait. Its time zone must be
   * given: the nodes of one mesh may disagree about theirs, and a default would be wrong by hours
   * without a word. Default: off.
   */
  readonly "policy.quietHours": QuietHours | "off";
  /**
   * Where `/metrics` and `/health` are served: a loopback address and a port, or `off`. Belongs to one
   * node. Default: 127.0.0.1:7655.
   */
  readonly "http.listen": HttpListen;
  /** Whether this node reads its host's sensors at all. Default: on. */
  readonly "sensors.watch": "on" | "off";
  /**
   * Time between two looks at the sensors. Each is sent to the peers and kept by them for ten minutes,
   * so half the time doubles traffic and history. Default: 10s. Range: 200ms to 5m.
   */
  readonly "sensors.every": Duration;
  /** Where the kernel shows its sensors. Default: /sys. */
  readonly "sensors.sysfsRoot": string;
  /** From when on sensors are too hot, where the defaults don't fit; later rules win. Default: none. At most 200. */
  readonly "sensors.rules": readonly HeatRule[];
  /** What this node keeps on disk of all sensors it knows. Default: 256MiB, written every 60s. */
  readonly history: HistoryLimits | "off";
  /** The least serious entry that is still written to this node's journal. Default: info. */
  readonly "log.level": LogLevel;
}
export type SettingKey = keyof SettingValues;

export interface Setting<T> extends ValueKind<T> {
  readonly byDefault: T;
  /** It belongs to one node: no shared document may have it. */
  readonly own?: true;
}

const setting = <T>(byDefault: T, kind: ValueKind<T>): Setting<T> => ({ byDefault, ...kind });
const ownSetting = <T>(byDefault: T, kind: ValueKind<T>): Setting<T> => ({
  ...setting(byDefault, kind),
  own: true,
});

const FLAP_DEFAULT: FlapPolicy = { window: minutes(10), quiet: seconds(60) };
const window = duration(seconds(10), hours(24));
const quiet = duration(seconds(1), minutes(60));
const flap: ValueKind<FlapPolicy> = {
  schema: z
    .strictObject({ window: window.schema.optional(), quiet: quiet.schema.optional() })
    .transform((given) => ({
      window: given.window ?? FLAP_DEFAULT.window,
      quiet: given.quiet ?? FLAP_DEFAULT.quiet,
    })),
  written: (value) => ({ window: written(value.window), quiet: written(value.quiet) }),
};

const timeZone: z.ZodType<string> = checked((value): string | Complaint =>
  typeof value === "string" && isTimeZone(value)
    ? value
    : {
        message: "this is not a time zone that is known here",
        fix: "Write its IANA name, such as Europe/Berlin or UTC; `timedatectl list-timezones` has all.",
      },
);
const QUIET_SEVERITY_DEFAULT: Severity = "warning";

const quietHours: ValueKind<QuietHours> = {
  schema: z
    .strictObject({
      from: timeOfDay,
      to: timeOfDay,
      timezone: timeZone,
      severity: z.enum(severities).optional(),
    })
    .superRefine(({ from, to }, context) => {
      if (from !== to) return;
      const fix = "Give them an end; `balefire silence add` holds messages back all day.";
      context.addIssue({
        code: "custom",
        path: ["to"],
        message: "they end when they begin",
        params: { fix },
      });
    })
    .transform(({ from, to, timezone, severity }) => ({
      from,
      to,
      timeZone: timezone,
      severity: severity ?? QUIET_SEVERITY_DEFAULT,
    })),
  written: (value) => ({
    from: writtenTimeOfDay(value.from),
    to: writtenTimeOfDay(value.to),
    timezone: value.timeZone,
    severity: value.severity,
  }),
};

const grace = duration(ms(0), minutes(60));

export const SETTINGS: { readonly [K in SettingKey]: Setting<SettingValues[K]> } = {
  "mesh.beat": setting(ms(200), duration(ms(50), seconds(5))),
  "policy.daemonDown.grace": setting(seconds(15), grace),
  "policy.linkProblem.grace": setting(seconds(15), grace),
  "policy.clock.grace": setting(seconds(60), grace),
  "policy.missing.after": setting(minutes(5), duration(seconds(10), hours(24))),
  "policy.planned.grace": setting(minutes(10), duration(seconds(1), days(7))),
  "policy.planned.note": setting<"on" | "off">("off", choice(["on", "off"])),
  "policy.flap": setting<FlapPolicy | "off">(FLAP_DEFAULT, orOff(flap)),
  "policy.quietHours": setting<QuietHours | "off">("off", orOff(quietHours)),
  "http.listen": ownSetting(HTTP_LISTEN_DEFAULT, httpListen),
  "sensors.watch": ownSetting<"on" | "off">("on", choice(["on", "off"])),
  "sensors.every": setting(seconds(10), duration(ms(200), minutes(5))),
  "sensors.sysfsRoot": ownSetting("/sys", folder),
  "sensors.rules": setting<readonly HeatRule[]>([], heatRules),
  history: ownSetting<HistoryLimits | "off">(HISTORY_DEFAULT, orOff(history)),
  "log.level": ownSetting<LogLevel>("info", choice(LOG_LEVELS)),
};
export const SETTING_KEYS: readonly SettingKey[] = Object.keys(SETTINGS) as SettingKey[];

/** What one node decides for itself, and the shared document cannot. */
export const isOwnSetting = (key: SettingKey): boolean => SETTINGS[key].own === true;

/** `BALEFIRE_POLICY_DAEMON_DOWN_GRACE` for `policy.daemonDown.grace`. */
export const environmentName = (key: SettingKey): string =>
  `BALEFIRE_${key.replaceAll(".", "_").replaceAll(/[A-Z]/g, (letter) => `_${letter}`)}`.toUpperCase();
