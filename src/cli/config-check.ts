/** `balefire config check [FILE]`: without a daemon; all that would stop the daemon's start. */
import { ok } from "../kit/result.ts";
import { configPermissionProblem, effectiveConfig } from "../wire/config-effective.ts";
import { checkedConfig } from "./config-file.ts";
import { type Context, present, refuse } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { count } from "./words.ts";

export async function configCheck(context: Context, named: string | undefined): Promise<ExitCode> {
  const path = named ?? context.configPath;
  const checked = await checkedConfig(context, path, "file");
  if (!checked.ok) return checked.exit;
  const permission = configPermissionProblem(checked.mode, checked.config, path);
  if (!permission.ok) return refuse(context, permission.error);
  const effective = effectiveConfig({ file: checked.config, env: context.env });
  if (!effective.ok) return refuse(context, effective.error);
  const channels = checked.config.channels?.length ?? 0;
  return present(context, ok({ schema: 1, ok: true, file: path, channels, problems: [] }), () => {
    context.screen.line(`${path} is good: ${count(channels, "channel")}.`);
  });
}
