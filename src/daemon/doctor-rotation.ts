/** What doctor says of a change of roots: nobody notices one that waits, and the old root counts until it is over. */
import { type Duration, formatDuration, minutes, type WallTime } from "../kit/time.ts";
import { type RootStatusReport, WAITING_WORDS } from "../wire/root-reports.ts";
import { type Finding, sound } from "./doctor-finding.ts";

/** With every host on it takes seconds. */
const MAY_TAKE: Duration = minutes(1);

export function rotationFindings(report: RootStatusReport, wall: WallTime): Finding[] {
  const { phase, since, waiting, keymaster, problem } = report;
  const check = "change of roots";
  if (phase === "none" || since === null) return [];
  const age = Math.max(0, wall - Date.parse(since)) as Duration;
  const begun = `begun ${formatDuration(age)} ago`;
  if (phase === "blocked") {
    const remedy = `Begin it anew, on ${keymaster}: \`balefire root rotate\`. See docs/runbooks/root-compromise.md.`;
    return [{ check, level: "failed", finding: `cannot go on: ${problem} (${begun})`, remedy }];
  }
  const stage =
    phase === "announced" ? "the new root is announced" : "certificates are renewed under the new root";
  if (waiting.length === 0 && age < MAY_TAKE) return [sound(check, `${stage}, ${begun}`)];
  const reasons = waiting.map(({ node, why }) => `${node} (${WAITING_WORDS[why]})`);
  const waits = reasons.length === 0 ? `${keymaster} drives it` : `it waits for ${reasons.join(", ")}`;
  const finding = `${stage}, ${begun}: ${waits}`;
  if (age < MAY_TAKE) return [sound(check, finding)];
  return [{ check, level: "warning", finding, remedy: remedyFor(report) }];
}

function remedyFor({ waiting, keymaster }: RootStatusReport): string {
  if (waiting.length === 0) return `On ${keymaster}, \`balefire root status\` says more.`;
  const names = waiting.map(({ node }) => node);
  const waive = names.map((name) => ` --waive ${name}`).join("");
  const start = waiting.every(({ why }) => why === "away") ? "Start" : "Start or restart balefire on";
  return `${start} ${names.join(", ")}, or go on without, on ${keymaster}: \`balefire root rotate${waive}\`. Who was left out follows when it is back.`;
}
