/** `balefire nodes`: every node of the mesh with its identity and addresses. */
import { ok } from "../kit/result.ts";
import { ask, type Context, present, refuse } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { localTime, verdictStyle } from "./words.ts";

/** `namesOnly`: for scripts, and for what a shell offers. */
export async function nodes(context: Context, namesOnly = false): Promise<ExitCode> {
  const status = await ask(context, "status", {});
  if (!status.ok) return refuse(context, status.error);
  const { mesh, self, keymaster } = status.value;
  const report = { schema: 1, mesh, self, keymaster, nodes: status.value.nodes };
  const { screen } = context;
  return present(context, ok(report), ({ nodes }) => {
    if (namesOnly) {
      for (const { name } of nodes) screen.line(name);
      return;
    }
    for (const node of nodes) {
      const roles = [...(node.id === self ? ["this node"] : []), ...(node.keymaster ? ["keymaster"] : [])];
      const verdict = node.id === self ? "" : screen.paint(verdictStyle(node.verdict), node.verdict);
      screen.line(
        [screen.paint("bold", node.name), verdict, ...roles].filter((part) => part !== "").join("  "),
      );
      if (node.maintenance !== null) {
        const { until, by, why } = node.maintenance;
        const end = until === null ? "until ended" : `until ${localTime(until)}`;
        screen.line(`  held back  in maintenance ${end}, by ${by}${why === "" ? "" : `: ${why}`}`);
      }
      if (node.expected === "sometimes") screen.line("  expected   sometimes");
      screen.line(`  id         ${node.id}`);
      screen.line(`  life       ${node.incarnation === 0 ? "never heard" : `number ${node.incarnation}`}`);
      for (const address of node.addresses) screen.line(`  address    ${address}`);
    }
  });
}
