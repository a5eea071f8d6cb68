/** Looks for what would fail at 3 in the morning; each finding with its remedy. */
import type { HeatRule } from "../core/thermal/heat-policy.ts";
import type { ChannelRef } from "../core/types.ts";
import type { MeshView, NodeView } from "../core/view.ts";
import type { Failure } from "../kit/result.ts";
import { type Duration, days, formatDuration, type WallTime } from "../kit/time.ts";
import type { RootStatusReport } from "../wire/root-reports.ts";
import type { DoctorReport } from "../wire/rpc.ts";
import { clockFindings } from "./doctor-clocks.ts";
import { type Finding, sound } from "./doctor-finding.ts";
import { rotationFindings } from "./doctor-rotation.ts";
import { heatRuleFindings, historyFindings, sensorFindings } from "./doctor-sensors.ts";
import { heartbeatFindings, muteFindings, nodePolicyFindings } from "./doctor-wishes.ts";
import type { HistoryState } from "./history-keeper.ts";
import type { HttpFacts } from "./http-port.ts";
import type { SensorsState } from "./sensor-watch.ts";

/** Leaf certificates are renewed long before; later than this something keeps it from happening. */
const EXPIRY_WARNING: Duration = days(10);

export interface DoctorFacts {
  readonly view: MeshView;
  readonly wall: WallTime;
  readonly certificateExpires: WallTime;
  /** How far a change of roots is. */
  readonly roots: RootStatusReport;
  /** When the roster that this node holds was signed. */
  readonly rosterSigned: WallTime;
  readonly listening: readonly string[];
  /** Turned-away connections and datagrams since the start, by reason. */
  readonly refusals: ReadonlyMap<string, number>;
  /** As this node's configuration has them. */
  readonly channels: readonly ChannelRef[];
  /** Of whom its `policy.nodes` speaks. */
  readonly nodesNamed: readonly string[];
  readonly heatRules: readonly HeatRule[];
  readonly http: HttpFacts;
  readonly sensors: SensorsState;
  readonly history: HistoryState;
  /** Files that were found damaged since the start, and that it can watch without. */
  readonly damaged: readonly Failure[];
}

export function examine(facts: DoctorFacts): DoctorReport {
  const { view } = facts;
  const others = view.nodes.filter((node) => node.id !== view.self);
  return {
    schema: 1,
    findings: [
      sound("ports", `listening on ${facts.listening.join(", ")} (TCP and UDP)`),
      ...httpFindings(facts.http),
      ...others.map((node) => pathFinding(node, facts.wall)),
      ...clockFindings(view, facts.rosterSigned),
      ...certificateFindings(facts, others),
      ...rosterFindings(view, others),
      ...rotationFindings(facts.roots, facts.wall),
      ...channelFindings(view),
      ...fallbackFindings(facts.channels),
      ...heartbeatFindings(view, facts.wall),
      ...nodePolicyFindings(view, facts.nodesNamed),
      ...heatRuleFindings(view, facts.heatRules),
      ...muteFindings(view, facts.wall),
      ...storeFindings(view),
      ...damageFindings(facts.damaged),
      ...sensorFindings(facts.sensors),
      ...historyFindings(facts.history),
      ...refusalFindings(facts.refusals),
    ],
  };
}

/** A port that was not wanted is nobody's concern. */
export function httpFindings({ state, answers }: HttpFacts): Finding[] {
  const check = "HTTP port";
  if (state.kind === "off") return [];
  if (state.kind === "listening") {
    if (answers) return [sound(check, `metrics and health at http://${state.address}`)];
    const remedy = "Restart the daemon: its files may have been replaced; else see `journalctl -u balefire`.";
    return [{ check, level: "warning", finding: `http://${state.address} does not answer`, remedy }];
  }
  const { message, remedy = "" } = state.failure;
  return [{ check, level: "warning", finding: message, remedy }];
}

function pathFinding(node: NodeView, wall: WallTime): Finding {
  const check = `path to ${node.name}`;
  const heard =
    node.lastHeard === undefined
      ? "not heard since this daemon started"
      : `last heard ${formatDuration((wall - node.lastHeard) as Duration)} ago`;
  if (node.verdict === "planned") return sound(check, `stopped on purpose, ${heard}`);
  if (node.path === "none") {
    const remedy = `Is balefire running on ${node.name}? Do TCP and UDP pass between ${node.addresses.join(", ")} and here?`;
    return { check, level: "failed", finding: `no connection (${node.verdict}), ${heard}`, remedy };
  }
  if (node.path === "stream") {
    const remedy =
      "Let UDP pass on the mesh port in both directions: without datagrams, loss delays what is urgent.";
    return { check, level: "warning", finding: `connected, but datagrams do not pass; ${heard}`, remedy };
  }
  const rtt = node.rtt === undefined ? "" : `, round trip ${node.rtt.toFixed(2)} ms`;
  if (node.verdict !== "alive") {
    const remedy = "Look at `balefire incidents` and at the network between the two.";
    return { check, level: "warning", finding: `${node.verdict}${rtt}; ${heard}`, remedy };
  }
  return sound(check, `datagrams pass${rtt}`);
}

function certificateFindings(facts: DoctorFacts, others: readonly NodeView[]): Finding[] {
  const own = expiryFinding("this node", facts.certificateExpires, facts.wall);
  const known = others.filter((node) => node.certificateExpires !== undefined);
  const late = known.flatMap((node) => {
    const finding = expiryFinding(node.name, node.certificateExpires ?? facts.wall, facts.wall);
    return finding.level === "ok" ? [] : [finding];
  });
  return [own, ...late];
}

function expiryFinding(who: string, expires: WallTime, wall: WallTime): Finding {
  const left = (expires - wall) as Duration;
  const check = `certificate of ${who}`;
  if (left > EXPIRY_WARNING) return sound(check, `valid for another ${formatDuration(left)}`);
  const remedy = "Run `balefire certs` there: it says what keeps it from being renewed.";
  if (left > 0) return { check, level: "warning", finding: `ends in ${formatDuration(left)}`, remedy };
  return { check, level: "failed", finding: `ended ${formatDuration(-left as Duration)} ago`, remedy };
}

function rosterFindings({ self, nodes }: MeshView, others: readonly NodeView[]): Finding[] {
  if (!nodes.some(({ id }) => id === self)) {
    const finding = "no roster that counts holds this node: a keymaster that has lost had let it in";
    const remedy = "Confirm it on the keymaster: `balefire keymaster show` lists it there.";
    return [{ check: "roster", level: "failed", finding, remedy }];
  }
  const behind = others.filter((node) => node.rosterBehind && node.path !== "none");
  if (behind.length === 0) return [sound("roster", "all connected nodes hold this roster")];
  return behind.map((node) => ({
    check: "roster",
    level: "warning",
    finding: `${node.name} holds an older roster`,
    remedy: `It should follow within seconds; if not, look at the journal of ${node.name}.`,
  }));
}

function channelFindings(view: MeshView): Finding[] {
  const reaching = view.channels.filter((channel) => channel.type !== "inbox");
  if (reaching.length === 0) {
    const remedy = "Add a channel to the configuration; docs/configuration.md has an example.";
    return [
      { check: "channels", level: "failed", finding: "none is configured: nobody would be told", remedy },
    ];
  }
  return reaching.map((channel) => {
    const check = `channel ${channel.name}`;
    const last = channel.deliveries[0];
    if (channel.proven) return sound(check, "has delivered within seven days");
    const finding =
      last?.outcome === "failed" ? `the last try failed: ${last.detail}` : "has never delivered";
    return { check, level: "warning", finding, remedy: `Run: balefire notify test ${channel.name}` };
  });
}

/** Not refused with the configuration: what a node's own channels name may have gone from the shared document since. */
export function fallbackFindings(channels: readonly ChannelRef[]): Finding[] {
  const names = new Set(channels.map(({ name }) => name));
  const named = new Set(channels.map(({ fallback }) => fallback));
  return channels.flatMap(({ name, fallback, onlyAsFallback = false }): Finding[] => {
    const check = `fallback of ${name}`;
    if (fallback !== undefined && !names.has(fallback)) {
      const remedy = `Configure a channel ${fallback}, or name another as \`fallback\` of ${name}.`;
      return [{ check, level: "warning", finding: `this node has no channel ${fallback}`, remedy }];
    }
    if (!onlyAsFallback || named.has(name)) return [];
    const remedy = `Name it as \`fallback\` of another channel, or remove its \`onlyAsFallback\`.`;
    return [
      {
        check: `channel ${name}`,
        level: "warning",
        finding: "is never used: it is only a fallback, and no channel's",
        remedy,
      },
    ];
  });
}

function storeFindings(view: MeshView): Finding[] {
  if (view.storeFailing === undefined) return [sound("state", "is written to disk")];
  const remedy = "Make room on the disk, or look at its health; what is known is kept in memory meanwhile.";
  return [{ check: "state", level: "failed", finding: view.storeFailing, remedy }];
}

export const damageFindings = (damaged: readonly Failure[]): Finding[] =>
  damaged.map(({ message, remedy = "" }) => ({ check: "state", level: "warning", finding: message, remedy }));

function refusalFindings(refusals: ReadonlyMap<string, number>): Finding[] {
  return [...refusals].map(([reason, count]) => ({
    check: "refusals",
    level: "warning",
    finding: `${count} × ${reason}`,
    remedy: "Somebody who is not of this mesh, or a node with old state, tries to speak to this one.",
  }));
}
