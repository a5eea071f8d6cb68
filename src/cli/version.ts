/** `balefire version`. */
import { ok } from "../kit/result.ts";
import { type Context, present } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";

export async function version(context: Context): Promise<ExitCode> {
  const report = { schema: 1, version: context.operations.version(), node: process.version };
  return present(context, ok(report), ({ version: own, node }) => {
    context.screen.line(`balefire ${own} (Node ${node})`);
  });
}
