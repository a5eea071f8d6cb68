/** `balefire config apply FILE`: shared settings for the whole mesh, through the keymaster. */
import { SLOW_CALL_TIMEOUT } from "./client.ts";
import { checkedConfig } from "./config-file.ts";
import { ask, type Context, present } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";

export async function configApply(context: Context, path: string): Promise<ExitCode> {
  const checked = await checkedConfig(context, path, "shared");
  if (!checked.ok) return checked.exit;
  const result = await ask(context, "config-apply", { text: checked.text }, SLOW_CALL_TIMEOUT);
  return present(context, result, ({ changed, term, epoch }) => {
    context.screen.line(
      changed
        ? `Applied: the mesh's configuration is now term ${term}, epoch ${epoch}.`
        : `Nothing to change: term ${term}, epoch ${epoch} holds these settings already.`,
    );
  });
}
