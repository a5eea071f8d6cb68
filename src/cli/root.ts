/** `balefire root …`: the root key, and how far its replacement is. */
import { type RootStatusReport, WAITING_WORDS } from "../wire/root-reports.ts";
import { SLOW_CALL_TIMEOUT } from "./client.ts";
import { askForCode } from "./code-prompt.ts";
import { ask, type Context, present, refuse } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { showSpread } from "./node.ts";
import { takeOffer } from "./recovery.ts";
import { harmlessReport } from "./screen.ts";
import { table } from "./table.ts";
import { localTime } from "./words.ts";

const PHASES: Readonly<Record<RootStatusReport["phase"], string>> = {
  none: "No change of roots is under way.",
  announced: "The new root is announced: every node has to hear of it before it is used.",
  issuing: "Every node trusts the new root: certificates are renewed under it, then the old one is dropped.",
  blocked: "The change of roots cannot go on.",
};

export async function rootStatus(context: Context): Promise<ExitCode> {
  // The node that drives a change is asked as well, and may take its time.
  const status = await ask(context, "root-status", {}, SLOW_CALL_TIMEOUT);
  return present(
    context,
    status,
    (report) => showStatus(context, report),
    ({ phase }) => (phase === "blocked" ? EXIT.degraded : EXIT.ok),
  );
}

/** With a change under way `waive` adds to it; else it begins one. */
export async function rootRotate(context: Context, waive: readonly string[]): Promise<ExitCode> {
  const status = await ask(context, "root-status", {});
  if (!status.ok) return refuse(context, status.error);
  const isUnderWay = status.value.phase === "announced" || status.value.phase === "issuing";
  if (!isUnderWay) return begin(context, waive);
  if (waive.length > 0) return addWaivers(context, waive);
  const remedy =
    "See how far it is: `balefire root status`. Add --waive NODE for who is not to be waited for.";
  const message = "a change of roots is under way already";
  return refuse(context, { code: "usage", message, remedy, retry: false });
}

async function begin(context: Context, waive: readonly string[]): Promise<ExitCode> {
  const { screen } = context;
  [
    "A new root key takes the place of the old one, and a new recovery code that of the old one.",
    "Every node is told, then renewed, then the old root is dropped. Nobody stops watching meanwhile.",
    "It waits for nodes that are off, but for those named with --waive. Join tokens made before are void.",
  ].forEach(screen.note);
  const code = await askForCode(screen, { what: "recovery code that holds now" });
  if (!code.ok) return refuse(context, code.error);
  const offer = await ask(context, "root-rotate", { code: code.value, waive }, SLOW_CALL_TIMEOUT);
  return takeOffer(context, offer, async (report) => {
    screen.line(`Root ${report.root} is announced.`);
    showSpread(context, report);
    if (report.file !== null) screen.line(`${report.file} holds it sealed: keep a copy of it elsewhere.`);
    const status = await ask(context, "root-status", {});
    if (status.ok) showStatus(context, harmlessReport(status.value));
    screen.note("It goes on by itself, also after a restart: `balefire root status` says how far it is.");
  });
}

async function addWaivers(context: Context, nodes: readonly string[]): Promise<ExitCode> {
  const result = await ask(context, "root-waive", { nodes }, SLOW_CALL_TIMEOUT);
  return present(context, result, ({ waived }) => {
    context.screen.line(`Not waited for: ${waived.join(", ")}.`);
    context.screen.note("They trust the new root when they come back: the old one has signed for it.");
  });
}

function showStatus({ screen }: Context, report: RootStatusReport): void {
  const { phase, roots, since, keymaster, waived, waiting, problem } = report;
  screen.line(PHASES[phase]);
  if (since !== null) screen.line(`Begun ${localTime(since)}; ${keymaster} drives it.`);
  if (problem !== null) screen.line(`Why: ${problem}. \`balefire root rotate\` begins anew.`);
  const rows = roots.map(({ pin, role, notAfter }) => [pin, role, localTime(notAfter)]);
  table(screen, ["ROOT", "ROLE", "ENDS"], rows).forEach(screen.line);
  for (const { node, why } of waiting) screen.line(`Waiting for ${node}: ${WAITING_WORDS[why]}.`);
  if (waived.length > 0) screen.line(`Not waited for: ${waived.join(", ")}.`);
}
