/** `balefire node …`: changes to who is in the mesh, on the keymaster. */
import type { SpreadReport } from "../wire/key-reports.ts";
import { SLOW_CALL_TIMEOUT } from "./client.ts";
import { ask, type Context, present } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";

export async function nodeRemove(
  context: Context,
  node: string,
  given: { readonly why?: string; readonly suspected: boolean },
): Promise<ExitCode> {
  const { why = "", suspected } = given;
  const result = await ask(context, "node-remove", { node, why, suspected }, SLOW_CALL_TIMEOUT);
  return present(context, result, (report) => {
    const { screen } = context;
    screen.line(`${report.node} is no longer in the mesh, and its key is revoked.`);
    showSpread(context, report);
    if (suspected) screen.note("Replace every secret it has seen: docs/runbooks/stolen-host.md says how.");
    else screen.note(`To have it back: balefire token create ${report.node}, and join there anew.`);
  });
}

export async function nodeReaddress(
  context: Context,
  node: string,
  addresses: readonly string[],
): Promise<ExitCode> {
  const result = await ask(context, "node-readdress", { node, addresses }, SLOW_CALL_TIMEOUT);
  return present(context, result, (report) => {
    context.screen.line(`${report.node} is at ${report.addresses.join(", ")}.`);
    showSpread(context, report);
    context.screen.note(`It listens there once its daemon is restarted: systemctl restart balefire.`);
  });
}

export function showSpread({ screen }: Context, { term, epoch, reached, waiting }: SpreadReport): void {
  const known = reached.length === 0 ? "this node" : `this node, ${reached.join(", ")}`;
  screen.line(`Term ${term} epoch ${epoch} is known to ${known}.`);
  if (waiting.length > 0) screen.line(`Not yet to ${waiting.join(", ")}: as soon as they can be reached.`);
}
