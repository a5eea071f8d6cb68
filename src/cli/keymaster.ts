/** `balefire keymaster …`: who signs, who may take over, and what one that lost had signed. */
import { resolve } from "node:path";
import { ok, type Result } from "../kit/result.ts";
import type {
  KeymasterChangeReport,
  KeymasterShowReport,
  LostChangeReport,
  SetAsideReport,
  SetAsideSettledReport,
  StandbyReport,
} from "../wire/keymaster-reports.ts";
import type { RecoveryFile } from "../wire/recovery-file.ts";
import { SLOW_CALL_TIMEOUT } from "./client.ts";
import { askForCode } from "./code-prompt.ts";
import { ask, type Context, present, refuse } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { showSpread } from "./node.ts";
import { harmlessReport } from "./screen.ts";
import { localTime } from "./words.ts";

export interface CodeOptions {
  /** Path of a recovery file, instead of the copy in the roster. */
  readonly recoveryFile?: string;
}
export interface PromoteOptions extends CodeOptions {
  /** Though this node is a standby. */
  readonly withCode?: boolean;
}

export async function keymasterShow(context: Context): Promise<ExitCode> {
  return present(context, await ask(context, "keymaster-show", {}), (report) => showAll(context, report));
}

/** A standby needs no code, any other node does; `withCode` has it asked for in any case. */
export async function keymasterPromote(context: Context, given: PromoteOptions): Promise<ExitCode> {
  const { screen } = context;
  const shown = await ask(context, "keymaster-show", {});
  if (!shown.ok) return refuse(context, shown.error);
  const { self, keymaster } = harmlessReport(shown.value);
  const needsCode = self !== "standby" || given.withCode === true || given.recoveryFile !== undefined;
  const right = needsCode ? "the root key's right" : "its right as a standby";
  screen.note(`This node becomes keymaster by ${right}, in place of ${keymaster.node},`);
  screen.note("whose signing key is void from then on, as are its open join tokens.");
  const question = needsCode ? await codeFrom(context, given) : ok({});
  if (!question.ok) return refuse(context, question.error);
  const result = await ask(context, "keymaster-promote", question.value, SLOW_CALL_TIMEOUT);
  return present(context, result, (report) => showChange(context, report));
}

export async function keymasterMove(context: Context, node: string): Promise<ExitCode> {
  context.screen.note(`${node} becomes keymaster, this node stays as standby. Open join tokens are void.`);
  const result = await ask(context, "keymaster-move", { node }, SLOW_CALL_TIMEOUT);
  return present(context, result, (report) => showChange(context, report));
}

export async function standbyAdd(context: Context, node: string, given: CodeOptions): Promise<ExitCode> {
  const { screen } = context;
  screen.note(`${node} makes a signing key of its own, which the root key certifies: it may take over then.`);
  const question = await codeFrom(context, given);
  if (!question.ok) return refuse(context, question.error);
  const result = await ask(context, "standby-add", { node, ...question.value }, SLOW_CALL_TIMEOUT);
  return present(context, result, (report) => {
    screen.line(report.changed ? `${report.node} is a standby.` : `${report.node} is a standby already.`);
    showStandbys(context, report);
    screen.note(
      `Should this node be lost: \`balefire keymaster promote\` on ${report.node}, without a code.`,
    );
  });
}

export async function standbyRemove(context: Context, node: string): Promise<ExitCode> {
  const result = await ask(context, "standby-remove", { node }, SLOW_CALL_TIMEOUT);
  return present(context, result, (report) => {
    context.screen.line(`${report.node} is no standby any more, and its signing key is void.`);
    showStandbys(context, report);
  });
}

export async function keymasterConfirm(context: Context, id: string): Promise<ExitCode> {
  const result = await ask(context, "keymaster-confirm", { id }, SLOW_CALL_TIMEOUT);
  return present(context, result, (report) => showSettled(context, report));
}

export async function keymasterDrop(context: Context, id: string): Promise<ExitCode> {
  const result = await ask(context, "keymaster-drop", { id }, SLOW_CALL_TIMEOUT);
  return present(context, result, (report) => showSettled(context, report));
}

async function codeFrom(
  { screen, operations }: Context,
  { recoveryFile }: CodeOptions,
): Promise<Result<{ readonly code: string; readonly recovery?: RecoveryFile }>> {
  // A file that cannot be used is no reason to have the code typed.
  const file =
    recoveryFile === undefined ? undefined : await operations.readRecoveryFile(resolve(recoveryFile));
  if (file?.ok === false) return file;
  const code = await askForCode(screen);
  if (!code.ok) return code;
  return ok({ code: code.value, ...(file === undefined ? {} : { recovery: file.value }) });
}

function showAll(context: Context, report: KeymasterShowReport): void {
  const { screen } = context;
  const { keymaster, term, epoch, generation, openedBy, standbys, self, recovery } = report;
  const right = openedBy === "root" ? "the root key" : "its right as a standby";
  screen.line(`Keymaster: ${keymaster.node}, since term ${term} by ${right} (generation ${generation}).`);
  screen.line(`Signed last: epoch ${epoch}, ${localTime(report.signedAt)}.`);
  const names = standbys.map(({ node }) => node).join(", ");
  screen.line(
    names === ""
      ? "Standbys: none. Only the recovery code can replace the keymaster."
      : `Standbys: ${names}.`,
  );
  screen.line(`This node: ${ROLES[self]}.`);
  if (!recovery) screen.line("The roster holds no copy of the recovery file: keep one of your own.");
  for (const { node, at, reason } of report.voided)
    screen.line(`Void: a signing key of ${node}, ${localTime(at)}: ${reason}.`);
  for (const each of report.setAside) showSetAside(context, each);
  if (self !== "keymaster")
    screen.note(`What keymasters that lost had signed is listed on ${keymaster.node}.`);
}

const ROLES: Readonly<Record<KeymasterShowReport["self"], string>> = {
  keymaster: "the keymaster",
  standby: "a standby",
  member: "neither",
  waiting: "in no roster that counts, waiting to be confirmed",
};

function showSetAside(
  { screen }: Context,
  { id, signer, term, epoch, signedAt, changes }: SetAsideReport,
): void {
  screen.line("");
  screen.line(
    `Set aside ${id}: signed by ${signer.node} until ${localTime(signedAt)}, term ${term} epoch ${epoch}`,
  );
  for (const change of changes) screen.line(`    ${changeWords(change)}`);
  screen.note(`Make it hold: balefire keymaster confirm ${id}. Give it up: balefire keymaster drop ${id}.`);
}

function changeWords({ what, node, detail }: LostChangeReport): string {
  switch (what) {
    case "admitted":
      return `let in ${node} (${detail})`;
    case "removed":
      return `removed ${node} (${detail})`;
    case "readdressed":
      return `moved ${node} ${detail}`;
    case "configured":
      return `changed the shared configuration (${detail})`;
    case "signer-voided":
      return `voided the signing key of ${node} (${detail})`;
    case "standby-added":
      return `made ${node} a standby (${detail})`;
    case "resealed":
      return `renewed the recovery code (${detail})`;
  }
}

function showChange(context: Context, report: KeymasterChangeReport): void {
  const { screen } = context;
  screen.line(`${report.keymaster} is the keymaster.`);
  if (report.voided.length > 0) screen.line(`Void: the signing key of ${report.voided.join(", ")}.`);
  showStandbys(context, report);
  screen.note("Join tokens made before are void: make new ones with `balefire token create`, there.");
  if (report.voided.includes(report.before))
    screen.note(
      `Should ${report.before} come back, it steps down: \`balefire keymaster show\` lists what it had signed.`,
    );
}

function showStandbys(
  context: Context,
  report: Pick<
    StandbyReport,
    "standbys" | "reached" | "waiting" | "term" | "epoch" | "generation" | "opener"
  >,
): void {
  const { standbys } = report;
  context.screen.line(standbys.length === 0 ? "Standbys: none." : `Standbys: ${standbys.join(", ")}.`);
  showSpread(context, report);
}

function showSettled(context: Context, report: SetAsideSettledReport): void {
  const { screen } = context;
  screen.line(
    report.done === "confirmed"
      ? `${report.id} is confirmed:`
      : `${report.id} is dropped. Of no effect stays:`,
  );
  for (const change of report.changes) screen.line(`    ${changeWords(change)}`);
  for (const { why, ...change } of report.left) screen.line(`    not done: ${changeWords(change)}: ${why}`);
  showSpread(context, report);
}
