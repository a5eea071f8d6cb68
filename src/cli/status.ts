/** `balefire status`: what this node sees, and how sure it is. */
import type { NodeReport, StatusReport } from "../wire/rpc.ts";
import { ask, type Context, present } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Screen } from "./screen.ts";
import { type Row, table, wrapped } from "./table.ts";
import { ago, ahead, count, howSure, localTime, rtt, verdictStyle, whyItLeft } from "./words.ts";

export async function status(context: Context): Promise<ExitCode> {
  const result = await ask(context, "status", {});
  const show = (report: StatusReport): void =>
    statusLines(context.screen, report).forEach(context.screen.line);
  return present(context, result, show, statusExit);
}

export const statusExit = (report: StatusReport): ExitCode =>
  report.health === "degraded" ? EXIT.degraded : EXIT.ok;

export function statusLines(
  screen: Screen,
  report: StatusReport,
  now: number = Date.parse(report.at),
): string[] {
  const keymaster = report.nodes.find(({ id }) => id === report.keymaster)?.name ?? report.keymaster;
  const health = screen.paint(report.health === "ok" ? "green" : "yellow", report.health);
  return [
    `${screen.paint("bold", report.name)}: ${health}  (balefire ${report.version})`,
    `mesh ${report.mesh}`,
    `roster term ${report.term}, epoch ${report.epoch}, keymaster ${keymaster}`,
    "",
    ...nodeTable(screen, report, now),
    ...doubts(screen, report),
    ...remarks(screen, report),
  ];
}

function nodeTable(screen: Screen, report: StatusReport, now: number): string[] {
  const header = ["NODE", "VERDICT", "FOR", "PATH", "RTT", "HEARD", "CERTIFICATE"];
  const rows = report.nodes.map((node): Row => {
    const self = node.path === "self";
    return [
      node.name,
      self ? { text: "this node", style: "dim" } : { text: node.verdict, style: verdictStyle(node.verdict) },
      ago(node.since, now),
      self || node.path === "none" ? "-" : node.path,
      self ? "-" : rtt(node.rttMs),
      self ? "-" : heard(node, now),
      ahead(node.certificateExpires, now),
    ];
  });
  return table(screen, header, rows);
}

/** Beats come several times a second: within a second of the last one, "now" is as exact as it gets. */
function heard(node: NodeReport, now: number): string {
  if (node.lastHeard === null) return "never";
  return now - Date.parse(node.lastHeard) < 1000 ? "now" : `${ago(node.lastHeard, now)} ago`;
}

function doubts(screen: Screen, report: StatusReport): string[] {
  const lines = report.nodes.flatMap((node) => {
    const sentence = node.path === "self" ? undefined : (whyItLeft(node.farewell) ?? howSure(node.verdict));
    return [sentence, ...heldBack(node)]
      .filter((line) => line !== undefined)
      .flatMap((line) => wrapped(`${node.name}: ${line}`, screen.columns, "    ", "  "));
  });
  return lines.length === 0 ? [] : ["", ...lines];
}

/** Why nobody is told of what happens to a node. */
function heldBack({ maintenance, expected }: NodeReport): string[] {
  const sometimes = expected === "sometimes" ? ["comes and goes: nobody is told of its absence"] : [];
  if (maintenance === null) return sometimes;
  const { until, by, why } = maintenance;
  const end = until === null ? "until someone ends it" : `until ${localTime(until)}`;
  return [...sometimes, `in maintenance ${end}, by ${by}${why === "" ? "" : `: ${why}`}`];
}

function remarks(screen: Screen, report: StatusReport): string[] {
  const lines: string[] = [];
  if (report.isolated) {
    lines.push(...wrapped("This node hears nobody: it claims nothing about the others.", screen.columns));
  }
  if (report.openIncidents > 0)
    lines.push(`${count(report.openIncidents, "open incident")}: balefire incidents`);
  if (report.silences > 0) lines.push(`${count(report.silences, "silence")} in force: balefire silence list`);
  if (report.quietUntil !== null) lines.push(`Quiet hours until ${localTime(report.quietUntil)}.`);
  if (report.problems.length > 0) {
    lines.push(
      "Problems:",
      ...report.problems.flatMap((text) => wrapped(text, screen.columns, "    ", "  - ")),
    );
  }
  return lines.length === 0 ? [] : ["", ...lines];
}
