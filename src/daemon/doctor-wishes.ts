/** What people have asked for and may have forgotten or mistyped: heartbeats, hosts that come and go, mutes. */
import type { MeshView, MuteView } from "../core/view.ts";
import { type Duration, days, formatDuration, type WallTime } from "../kit/time.ts";
import { nearest } from "../wire/config-nearest.ts";
import { type Finding, sound } from "./doctor-finding.ts";

/** A mute that nobody ends hides what happens: after this long it is worth a thought. */
const ENDLESS_MUTE_MAX: Duration = days(7);

export function heartbeatFindings({ heartbeats }: MeshView, wall: WallTime): Finding[] {
  if (heartbeats.length === 0) {
    const finding = "none is configured: nobody outside would notice if all hosts died at once";
    return [sound("heartbeats", finding)];
  }
  return heartbeats.map(({ name, silent, last }) => {
    const check = `heartbeat ${name}`;
    const when =
      last === undefined
        ? "was never pinged"
        : `was last pinged ${formatDuration((wall - last.at) as Duration)} ago by ${last.node}`;
    if (!silent) return sound(check, when);
    return { check, level: "warning", finding: when, remedy: `Run: balefire notify test ${name}` };
  });
}

/** The configuration cannot be checked against the roster before a daemon runs. */
export function nodePolicyFindings(view: MeshView, named: readonly string[]): Finding[] {
  return named.flatMap((name) => strangerFindings("policy.nodes", name, view, (member) => member === name));
}

/** Of a setting for a host that no member is: whether one is says `fits`. */
export function strangerFindings(
  check: string,
  name: string,
  view: MeshView,
  fits: (member: string) => boolean,
): Finding[] {
  const members = view.nodes.map((node) => node.name);
  if (members.some(fits)) return [];
  const candidate = nearest(name, members);
  const guess = candidate === undefined ? "" : `Did you mean ${candidate}? `;
  const finding = `no member of this mesh is named ${name}`;
  const remedy = `${guess}There are: ${members.join(", ")}.`;
  return [{ check, level: "warning", finding, remedy }];
}

export function muteFindings(view: MeshView, wall: WallTime): Finding[] {
  const maintenances = view.nodes.flatMap(({ name, maintenance }) =>
    maintenance === undefined
      ? []
      : [[`maintenance of ${name}`, `maintenance off ${name}`, maintenance] as const],
  );
  const silences = view.silences.map(
    (silence) => [`silence ${silence.id}`, `silence remove ${silence.id}`, silence] as const,
  );
  return [...maintenances, ...silences].flatMap(([check, end, mute]) => forgotten(check, end, mute, wall));
}

function forgotten(check: string, end: string, { at, until, by }: MuteView, wall: WallTime): Finding[] {
  const age = (wall - at) as Duration;
  if (until !== undefined || age < ENDLESS_MUTE_MAX) return [];
  const finding = `holds messages back for ${formatDuration(age)} already, without an end (by ${by})`;
  return [{ check, level: "warning", finding, remedy: `If it is over, run: balefire ${end}` }];
}
