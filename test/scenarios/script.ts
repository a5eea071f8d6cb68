/**
 * The little language of the scenarios. A line is one of
 *
 *     hosts a b c            who there is; all start within the first second
 *     absent d               who of them does not start
 *     networks 2             that every host has a cable in (default 1)
 *     heartbeat 60s          a dead-man's heartbeat that every host can ping
 *     seed 7                 for latencies and the machines' own randomness (default 1)
 *     at 10s VERB …          a fault at a time
 *     on deliver VERB …      a fault one millisecond after the first message leaves a node, `sender`
 *     until 60s              the end
 *
 * with the verbs of VERBS below. `#` begins a comment.
 */
import type { SingleInput } from "../../src/core/io.ts";
import { maintenanceId } from "../../src/core/mutes.ts";
import { type Duration, parseDuration, wallTime } from "../../src/kit/time.ts";
import { hostSample } from "../contract/sample-readings.ts";
import type { Fault } from "../sim/faults.ts";
import type { Host } from "../sim/host.ts";
import type { ReceiverMood } from "../sim/receiver.ts";

/** Makes faults; the sender is known once a message leaves. */
export type Action = (sender: number) => readonly Fault[];

export interface Script {
  readonly names: readonly string[];
  readonly absent: readonly string[];
  readonly networks: number;
  /** Between two pings of the dead-man's heartbeat; undefined = there is none. */
  readonly heartbeat: Duration | undefined;
  readonly seed: number;
  readonly until: number;
  readonly timed: readonly { readonly at: number; readonly action: Action }[];
  readonly onDeliver: readonly Action[];
}

export const SENDER = "sender";

type HostOf = (name: string | undefined) => (sender: number) => number;

const one =
  (type: "power-off" | "power-on" | "kill" | "start" | "stop" | "pause" | "resume") =>
  (words: readonly string[], hostOf: HostOf): Action => {
    const hosts = words.map(hostOf);
    return (sender) => hosts.map((host) => ({ type, host: host(sender) }));
  };

const link =
  (up: boolean) =>
  (words: readonly string[], hostOf: HostOf): Action => {
    const hosts = words.map(hostOf);
    return (sender) => hosts.map((host) => ({ type: "link", host: host(sender), up }));
  };

/** `unplug a 2`: a's cable in the second network. */
const cable =
  (up: boolean) =>
  ([name, network]: readonly string[], hostOf: HostOf): Action => {
    const host = hostOf(name);
    return (sender) => [{ type: "link", host: host(sender), up, network: Number(network) - 1 }];
  };

const VERBS: Readonly<Record<string, (words: readonly string[], hostOf: HostOf) => Action>> = {
  "power-off": one("power-off"),
  "power-on": one("power-on"),
  kill: one("kill"),
  start: one("start"),
  stop: one("stop"),
  pause: one("pause"),
  resume: one("resume"),
  cut: link(false),
  mend: link(true),
  unplug: cable(false),
  plug: cable(true),
  /** `network 2 down`: its switch. */
  network:
    ([network, state]) =>
    () => [{ type: "network", network: Number(network) - 1, up: state === "up" }],
  /** `gateway a silent`, `gateway a answers`. */
  gateway: ([name, state], hostOf) => {
    const host = hostOf(name);
    return (sender) => [{ type: "gateway", host: host(sender), up: state === "answers" }];
  },
  /** `wall a 1h back`, `wall a 1h forth`. */
  wall: ([name, length, way], hostOf) => {
    const host = hostOf(name);
    const by = time(length ?? "") * (way === "back" ? -1 : 1);
    return (sender) => [{ type: "wall-step", host: host(sender), by }];
  },
  /** `path a b down`: from a to b only. */
  path: ([from, to, state], hostOf) => {
    const [a, b] = [hostOf(from), hostOf(to)];
    return (sender) => [{ type: "path", from: a(sender), to: b(sender), up: state === "up" }];
  },
  /** `partition a+b c`. */
  partition: (words, hostOf) => {
    const groups = words.map((word) => word.split("+").map(hostOf));
    return (sender) => [
      { type: "partition", groups: groups.map((group) => group.map((host) => host(sender))) },
    ];
  },
  heal: () => () => [{ type: "heal" }],
  /** `loss 30%`. */
  loss:
    ([share = "0%"]) =>
    () => [{ type: "quality", loss: Number.parseFloat(share) / 100, jitter: 0.2 }],
  /** `maintenance a on b 30s`, `maintenance a off b`: a's daemon is asked; without a time it lasts until lifted. */
  maintenance: ([asked, state, name = "", length], hostOf) => {
    const [host, subject] = [hostOf(asked), hostOf(name)];
    return (sender) => [
      {
        type: "operator",
        host: host(sender),
        words: `maintenance ${state} ${name}`,
        input: (world) => muteOf(world.hosts[subject(sender)], state === "off", length),
      },
    ];
  },
  /** `shutdown a`: told to the daemon before its host is switched off. */
  shutdown: (words, hostOf) => {
    const hosts = words.map(hostOf);
    return (sender) => hosts.map((host) => ({ type: "stop", host: host(sender), why: "shutdown" }));
  },
  /** `feels a 97 0`: one pass over a's sensors shows its CPU at 97 °C and its fan at 0 rpm (default 1200). */
  feels: ([name, celsius = "", rpm = "1200"], hostOf) => {
    const host = hostOf(name);
    const readings = hostSample(Number(celsius), 45, Number(rpm));
    const words = `feels ${celsius} °C, fan at ${rpm} rpm`;
    return (sender) => [
      { type: "operator", host: host(sender), words, input: () => ({ type: "readings", readings }) },
    ];
  },
  receiver:
    ([mood]) =>
    () => [{ type: "receiver", mood: mood as ReceiverMood }],
};

function muteOf(host: Host | undefined, ended: boolean, length: string | undefined): SingleInput {
  if (host === undefined) throw new Error("no such host");
  const { id: subject } = host;
  const mute = maintenanceId(subject);
  const until = length === undefined ? {} : { until: wallTime(host.wall + time(length)) };
  const request = {
    mute,
    purpose: "maintenance",
    matcher: {},
    subject,
    by: "root",
    why: "",
    ended,
    ...until,
  } as const;
  return { type: "mute", request };
}

export function parseScript(text: string): Script {
  const names: string[] = [];
  const absent: string[] = [];
  let networks = 1;
  let heartbeat: Duration | undefined;
  const timed: { at: number; action: Action }[] = [];
  const onDeliver: Action[] = [];
  let seed = 1;
  let until = 60_000;
  const hostOf: HostOf = (name) => {
    if (name === SENDER) return (sender) => sender;
    const index = names.indexOf(name ?? "");
    if (index < 0) throw new Error(`no host "${name}" in the scenario`);
    return () => index;
  };
  for (const line of text.split("\n")) {
    const words = line.replace(/#.*/, "").trim().split(/\s+/);
    const [first = "", second = "", verb = "", ...rest] = words;
    if (first === "hosts") names.push(...words.slice(1));
    else if (first === "absent") absent.push(...words.slice(1));
    else if (first === "networks") networks = Number(second);
    else if (first === "heartbeat") heartbeat = time(second);
    else if (first === "seed") seed = Number(second);
    else if (first === "until") until = time(second);
    else if (first === "at") timed.push({ at: time(second), action: actionOf(verb, rest, hostOf) });
    else if (first === "on" && second === "deliver") onDeliver.push(actionOf(verb, rest, hostOf));
    else if (first !== "") throw new Error(`not understood: ${line}`);
  }
  return { names, absent, networks, heartbeat, seed, until, timed, onDeliver };
}

function actionOf(verb: string, words: readonly string[], hostOf: HostOf): Action {
  const make = VERBS[verb];
  if (make === undefined) throw new Error(`unknown verb "${verb}"`);
  return make(words, hostOf);
}

function time(text: string): Duration {
  const length = parseDuration(text);
  if (length === undefined) throw new Error(`not a time: "${text}"`);
  return length;
}
