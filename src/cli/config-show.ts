/** `balefire config show --effective`: what this node runs with and where each setting comes from. */
import { ok } from "../kit/result.ts";
import { effectiveConfig, effectiveSettings } from "../wire/config-effective.ts";
import type { ConfigEffectiveReport } from "../wire/rpc.ts";
import { checkedConfig } from "./config-file.ts";
import { ask, type Context, present, refuse } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { table } from "./table.ts";

export async function configShow(context: Context): Promise<ExitCode> {
  const answer = await ask(context, "config-effective", {});
  if (!answer.ok && answer.error.code === "daemon-unreachable") return showFile(context);
  return present(context, answer, (report) => show(context, report));
}

/** Without a daemon: the file, the defaults and the environment. The shared settings are in the daemon's keeping. */
async function showFile(context: Context): Promise<ExitCode> {
  const { configPath, configRequired, env, screen, json } = context;
  const exists = await context.operations.readConfigText(configPath);
  if (!exists.ok) return refuse(context, exists.error);
  const absent = exists.value === undefined && !configRequired;
  const file = absent ? undefined : await checkedConfig(context, configPath, "file");
  if (file?.ok === false) return file.exit;
  const effective = effectiveConfig({ file: file?.config, env });
  if (!effective.ok) return refuse(context, effective.error);
  if (!json) screen.note("No daemon answers: these are the file, the defaults and the environment only.\n");
  const report = { schema: 1 as const, offline: true, settings: effectiveSettings(effective.value) };
  return present(context, ok(report), (found) => show(context, found));
}

function show({ screen }: Context, report: ConfigEffectiveReport): void {
  const rows = report.settings.flatMap(({ key, value, origin }) =>
    leaves(key, value).map(([name, text]) => [name, origin, text]),
  );
  table(screen, ["SETTING", "FROM", "VALUE"], rows).forEach(screen.line);
}

function leaves(key: string, value: unknown): [string, string][] {
  if (typeof value !== "object" || value === null) return [[key, String(value)]];
  return Object.entries(value).flatMap(([below, item]) => leaves(`${key}.${below}`, item));
}
