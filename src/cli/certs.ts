/** `balefire certs …`: every node's certificate as this node knows it, and renewal by hand. */
import type { CertificateReport } from "../wire/key-reports.ts";
import { SLOW_CALL_TIMEOUT } from "./client.ts";
import { ask, type Context, present } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { table } from "./table.ts";
import { ahead, localTime } from "./words.ts";

const STYLES = {
  valid: "green",
  due: "green",
  early: "red",
  late: "yellow",
  expired: "red",
  unknown: "dim",
} as const;
/** What wants somebody's attention. */
const isWrong = ({ state }: CertificateReport): boolean =>
  state === "early" || state === "late" || state === "expired";

export async function certs(context: Context): Promise<ExitCode> {
  const { screen } = context;
  const result = await ask(context, "certs", {});
  return present(
    context,
    result,
    ({ certificates }) => {
      const now = Date.now();
      const rows = certificates.map((each) => [
        each.node,
        { text: each.state, style: STYLES[each.state] },
        each.notAfter === null ? "-" : ahead(each.notAfter, now),
        each.notAfter === null ? "-" : localTime(each.notAfter),
        each.renewalDue === null ? "-" : localTime(each.renewalDue),
        each.serial ?? "-",
      ]);
      table(screen, ["NODE", "STATE", "ENDS IN", "ENDS", "RENEWED BY ITSELF", "SERIAL"], rows).forEach(
        screen.line,
      );
      for (const { node, issuer, lastTry, nextTry } of certificates) {
        if (issuer !== null) screen.note(`${node}: signed by ${issuer}`);
        if (lastTry === null || lastTry.failure === null) continue;
        const next = nextTry === null ? "" : `; next at ${localTime(nextTry)}`;
        screen.note(`${node}: not renewed at ${localTime(lastTry.at)}: ${lastTry.failure}${next}`);
      }
    },
    ({ certificates }) => (certificates.some(isWrong) ? EXIT.degraded : EXIT.ok),
  );
}

export async function certsRenew(context: Context, node: string | undefined): Promise<ExitCode> {
  const result = await ask(context, "certs-renew", node === undefined ? {} : { node }, SLOW_CALL_TIMEOUT);
  return present(context, result, (report) => {
    context.screen.line(
      `${report.node} has a new certificate, ${report.serial}, until ${localTime(report.notAfter)}.`,
    );
  });
}
