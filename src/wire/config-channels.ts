/** What the schema cannot see of the list of channels, since it looks at one at a time: their names for each other. */
import { isHeartbeatType } from "./channel-config.ts";
import { type Explanation, pathText } from "./config-explain.ts";
import { nearest } from "./config-nearest.ts";
import { type ConfigPath, valueMayBeShown } from "./config-secrecy.ts";

/** As much of a channel as was written so that it can be compared; `at` is its place in the list. */
interface Named {
  readonly at: number;
  readonly name: string;
  readonly fallback: string | undefined;
  /** It is told of incidents; a heartbeat is not. */
  readonly told: boolean;
}

interface Written {
  readonly name?: unknown;
  readonly fallback?: unknown;
  readonly type?: unknown;
}

/**
 * Names given twice, and fallbacks that lead nowhere or in a circle. `closed`: a fallback has to be
 * in this document. A node's own may be among the shared ones, so there an unknown name is accepted.
 * Names are compared as written, whatever else is wrong with the document.
 */
export function explainChannels(root: unknown, closed: boolean): Explanation[] {
  const written = (root as { channels?: unknown } | null)?.channels;
  if (!Array.isArray(written)) return [];
  const channels = written.flatMap((channel: Written | null, at): Named[] => {
    const { name, fallback, type } = channel ?? {};
    if (typeof name !== "string") return [];
    const told = !isHeartbeatType(type);
    return [{ at, name, fallback: typeof fallback === "string" ? fallback : undefined, told }];
  });
  return [
    ...duplicates(channels),
    ...channels.flatMap((channel) => fallbackProblem(channel, channels, closed)),
  ];
}

function duplicates(channels: readonly Named[]): Explanation[] {
  return channels.flatMap(({ at, name }) => {
    const first = channels.find((other) => other.name === name);
    if (first === undefined || first.at === at) return [];
    const fix = "Give each channel a name of its own.";
    return [explained(["channels", at, "name"], name, `is already the name of channels[${first.at}]`, fix)];
  });
}

function fallbackProblem(channel: Named, channels: readonly Named[], closed: boolean): Explanation[] {
  const { at, name, fallback } = channel;
  if (fallback === undefined) return [];
  const path: ConfigPath = ["channels", at, "fallback"];
  if (fallback === name) {
    return [explained(path, fallback, "is the channel itself", "Name another channel, or leave it out.")];
  }
  if (channels.some((other) => other.name === fallback && !other.told)) {
    return [explained(path, fallback, "is a heartbeat, which is told nothing", "Name a channel.")];
  }
  const names = channels.filter(({ told }) => told).map((other) => other.name);
  if (!names.includes(fallback)) {
    if (!closed) return [];
    const candidate = nearest(
      fallback,
      names.filter((other) => valueMayBeShown(["channels", at, "name"], other)),
    );
    const fix =
      candidate === undefined
        ? "Name a channel of this document: not every node has another."
        : `Did you mean ${candidate}?`;
    return [explained(path, fallback, "is no channel of this document", fix)];
  }
  if (!leadsBackTo(name, fallback, channels)) return [];
  const fix = "Let the last of them have no fallback.";
  return [explained(path, fallback, "leads back to this channel by its own fallbacks", fix)];
}

function leadsBackTo(name: string, from: string, channels: readonly Named[]): boolean {
  const byName = new Map(channels.map((channel) => [channel.name, channel.fallback]));
  const seen = new Set<string>();
  let next: string | undefined = from;
  while (next !== undefined && !seen.has(next)) {
    if (next === name) return true;
    seen.add(next);
    next = byName.get(next);
  }
  return false;
}

function explained(path: ConfigPath, value: string, problem: string, fix: string): Explanation {
  const shown = valueMayBeShown(path, value) ? `"${value}" ` : "";
  return { path, message: `${pathText(path)}: ${shown}${problem}`, fix };
}
