/** Words about what a dead host last felt, and how it fell silent. Nothing here claims a cause. */
import { between, type Duration, isoTime, seconds } from "../kit/time.ts";
import type { IncidentRecord } from "./ledger-records.ts";
import { CAUSE_WITHIN, FELT_WITHIN } from "./limits.ts";
import type { NotificationReading } from "./notification.ts";
import type { NodeState } from "./state.ts";
import type { Telling } from "./telling.ts";
import type { BlackBox } from "./thermal/black-box.ts";
import { type Felt, fansOf, feltOf, hottest, pastCritical } from "./thermal/felt.ts";

/** Sensors in a message's text, fans that are named, and hosts of whom it speaks. */
const SENSORS_TOLD = 3;
const FANS_TOLD = 3;
const HOSTS_TOLD = 4;
/** Sensors a host in the message as programs read it. */
export const READINGS_TOLD_MAX = 8;
const NAME_TOLD_MAX = 48;
/** Degrees a minute that a person would call steady. */
const STEADY = 0.5;
const CLOCKS_DIFFER = seconds(2);

/** Whose hosts' sensors say something about it: of a daemon that died alone they do not. */
const isDeath = ({ kind, verdict }: IncidentRecord): boolean => kind === "down" && verdict !== "daemon-down";

interface LastFelt {
  /** Ends with the last pass before the silence. */
  readonly box: BlackBox;
  readonly felt: readonly Felt[];
  /** From that pass to the silence. */
  readonly before: Duration;
}

/** Undefined where nothing is known from shortly before the silence. */
function lastFelt(state: NodeState, incident: IncidentRecord): LastFelt | undefined {
  if (!isDeath(incident) || incident.subject === state.self) return undefined;
  const { box, before } = untilSilence(state, incident);
  if (box.length === 0 || before > FELT_WITHIN) return undefined;
  return { box, felt: feltOf(box), before: Math.max(0, before) as Duration };
}

function untilSilence(
  state: NodeState,
  { subject, since }: IncidentRecord,
): { readonly box: BlackBox; readonly before: number } {
  const box = state.senses.boxes.get(subject) ?? [];
  const latest = box.at(-1);
  const peer = state.peers.get(subject);
  // What this node hears itself its own monotonic clock tells.
  if (latest?.direct === true && peer?.heardAt !== undefined && peer.condition.kind !== "alive")
    return { box, before: between(latest.at, peer.heardAt) };
  // Of what is over, or was heard by others: by the clocks on the wall, which may differ a little.
  const earlier = box.filter(({ wall }) => wall <= since + CLOCKS_DIFFER);
  return { box: earlier, before: since - (earlier.at(-1)?.wall ?? 0) };
}

/** One line a host, and one for each sensor that was past critical shortly before. */
export function feltLines({ state, incidents }: Telling): string[] {
  const deaths = incidents.filter(isDeath).sort((one, other) => (one.name < other.name ? -1 : 1));
  return deaths.slice(0, HOSTS_TOLD).flatMap((incident) => {
    const last = lastFelt(state, incident);
    if (last === undefined) return [];
    const whose = deaths.length === 1 ? "" : `${incident.name}: `;
    return [...feltLine(state, incident, last, whose), ...causeLine(state, incident, last, whose)];
  });
}

function feltLine(
  state: NodeState,
  { name }: IncidentRecord,
  { felt, before }: LastFelt,
  whose: string,
): string[] {
  const hot = hottest(felt, name, state.policy.heat).slice(0, SENSORS_TOLD).map(temperatureWords);
  const all = [...hot, ...fanWords(felt)];
  if (all.length === 0) return [];
  const line = `${whose}last felt ${Math.round(before / 1000)} s before: ${all.join(", ")}.`;
  return [whose === "" ? line[0]?.toUpperCase() + line.slice(1) : line];
}

function temperatureWords({ name, value, trend }: Felt): string {
  const shown = `${shortened(name)} ${tenths(value ?? 0)} °C`;
  if (trend === undefined || Math.abs(trend) < STEADY) return shown;
  return `${shown} (${trend > 0 ? "rising" : "falling"} ${pace(Math.abs(trend))} °C a minute)`;
}

function fanWords(felt: readonly Felt[]): string[] {
  const { still, turning } = fansOf(felt);
  const named = still.slice(0, FANS_TOLD).map(({ name }) => `fan ${shortened(name)} stands still`);
  if (named.length > 0 || turning.length === 0) return named;
  const speeds = turning.map(({ value }) => Math.round(value ?? 0));
  const [slowest, fastest] = [Math.min(...speeds), Math.max(...speeds)];
  return [slowest === fastest ? `fans at ${slowest} rpm` : `fans at ${slowest} to ${fastest} rpm`];
}

function causeLine(state: NodeState, { name }: IncidentRecord, { box }: LastFelt, whose: string): string[] {
  const past = pastCritical(box, CAUSE_WITHIN, name, state.policy.heat);
  // Cores are past it together with their processor; the first names the part.
  return past.slice(0, 1).map((each) => {
    const words = `${shortened(each.name)} was past its critical ${tenths(each.critical)} °C shortly before; that may be the cause.`;
    return `${whose}${words}`;
  });
}

/** A trend is an estimate: two digits say what there is to say. */
const pace = (trend: number): number => (trend < 10 ? tenths(trend) : Math.round(trend));
const tenths = (value: number): number => Math.round(value * 10) / 10;
const shortened = (name: string): string =>
  name.length <= NAME_TOLD_MAX ? name : `${name.slice(0, NAME_TOLD_MAX - 1)}…`;

/** The same for programs: what is hot, then the fans. */
export function readingsTold(state: NodeState, incident: IncidentRecord): NotificationReading[] {
  const last = lastFelt(state, incident);
  if (last === undefined) return [];
  const { still, turning } = fansOf(last.felt);
  const all = [...hottest(last.felt, incident.name, state.policy.heat), ...still, ...turning];
  return all.slice(0, READINGS_TOLD_MAX).map(forWire);
}

const forWire = ({ name, kind, unit, value, at, trend }: Felt): NotificationReading => ({
  name,
  kind,
  unit,
  value,
  at: at === null ? null : isoTime(at),
  ...(trend === undefined ? {} : { trend: tenths(trend) }),
});
