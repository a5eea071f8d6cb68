/** `balefire crl show`: the revocation lists for other tools; the mesh itself goes by its roster. */
import type { CrlRootReport } from "../wire/crl-reports.ts";
import { ask, type Context, present } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { table } from "./table.ts";
import { count, localTime } from "./words.ts";

export async function crlShow(context: Context, { pem }: { pem: boolean }): Promise<ExitCode> {
  const result = await ask(context, "crls", {});
  return present(context, result, ({ roots }) => {
    for (const root of roots) {
      if (!pem) showRoot(context, root);
      else if (root.pem !== "") context.screen.line(root.pem.trimEnd());
    }
  });
}

function showRoot({ screen }: Context, { root, lists }: CrlRootReport): void {
  screen.line(`Root ${root}`);
  if (lists.length === 0) screen.line("  no list yet: the keymaster signs one with its next roster");
  for (const { issuer, number, thisUpdate, nextUpdate, entries } of lists) {
    screen.line(`  ${issuer}, list ${number}: ${count(entries.length, "certificate")} taken back`);
    screen.line(`  from ${localTime(thisUpdate)}, to be replaced by ${localTime(nextUpdate)}`);
    if (entries.length === 0) continue;
    const rows = entries.map(({ node, at, reason, serial }) => [
      `    ${node ?? "-"}`,
      localTime(at),
      reason,
      serial,
    ]);
    table(screen, ["    NODE", "SINCE", "REASON", "SERIAL"], rows).forEach(screen.line);
  }
}
