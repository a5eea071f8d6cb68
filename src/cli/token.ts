/** `balefire token …`: join tokens, through the daemon or, while none runs, on the keymaster's state itself. */
import type { Result } from "../kit/result.ts";
import { parseTokenLife } from "./arguments.ts";
import { SLOW_CALL_TIMEOUT } from "./client.ts";
import { ask, type Context, present, refuse } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { table } from "./table.ts";
import { ahead, localTime } from "./words.ts";

export async function tokenCreate(context: Context, name: string, expires: string): Promise<ExitCode> {
  const life = parseTokenLife(expires);
  if (!life.ok) return refuse(context, life.error);
  const { operations, stateDir, screen } = context;
  const result = await daemonOr(
    () => ask(context, "token-create", { name, expiresMs: life.value }, SLOW_CALL_TIMEOUT),
    () => operations.tokenCreateOffline(stateDir, name, life.value),
  );
  return present(context, result, (report) => {
    screen.line(report.token);
    screen.note("");
    screen.note(`For ${report.name}, once, until ${localTime(report.expires)}. On that host:`);
    screen.note("    balefire join TOKEN --address IP");
  });
}

export async function tokenList(context: Context): Promise<ExitCode> {
  const { operations, stateDir, screen } = context;
  const result = await daemonOr(
    () => ask(context, "token-list", {}),
    () => operations.tokenListOffline(stateDir),
  );
  return present(context, result, ({ tokens }) => {
    const now = Date.now();
    const rows = tokens.map(({ id, name, created, expires, state }) => [
      id,
      name,
      { text: state, style: state === "open" ? ("green" as const) : ("dim" as const) },
      localTime(created),
      state === "open" ? ahead(expires, now) : "-",
    ]);
    if (rows.length === 0) screen.line("No tokens.");
    else table(screen, ["ID", "NODE", "STATE", "CREATED", "EXPIRES IN"], rows).forEach(screen.line);
  });
}

export async function tokenRevoke(context: Context, id: string): Promise<ExitCode> {
  const { operations, stateDir, screen } = context;
  const result = await daemonOr(
    () => ask(context, "token-revoke", { id }, SLOW_CALL_TIMEOUT),
    () => operations.tokenRevokeOffline(stateDir, id),
  );
  return present(context, result, (report) => {
    screen.line(
      report.revoked
        ? `Token ${report.id} is revoked.`
        : `Token ${report.id} could no longer be used anyway.`,
    );
  });
}

/** The state lock keeps the second way from running beside a daemon that merely did not answer. */
async function daemonOr<T>(
  online: () => Promise<Result<T>>,
  offline: () => Promise<Result<T>>,
): Promise<Result<T>> {
  const result = await online();
  return !result.ok && result.error.code === "daemon-unreachable" ? offline() : result;
}
