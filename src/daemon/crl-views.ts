/** The revocation lists that a node holds, as people and other tools are shown them. */
import { type ReadCrl, readCrls } from "../adapters/pki/crl-reading.ts";
import { isoTime } from "../kit/time.ts";
import type { CrlListReport, CrlsReport } from "../wire/crl-reports.ts";
import type { Roster } from "../wire/roster.ts";

/** A root without lists has a report without any: nobody has signed one yet. */
export function crlsReport({ roots, crls, revoked }: Pick<Roster, "roots" | "crls" | "revoked">): CrlsReport {
  const names = new Map(revoked.flatMap(({ serials = [], name }) => serials.map((serial) => [serial, name])));
  return {
    schema: 1,
    roots: roots.map(({ pin }) => {
      const pem = crls.find(({ root }) => root === pin)?.pem ?? "";
      const lists = readCrls(pem);
      return { root: pin, lists: lists.ok ? lists.value.map((list) => listReport(list, names)) : [], pem };
    }),
  };
}

const listReport = (list: ReadCrl, names: ReadonlyMap<string, string>): CrlListReport => ({
  issuer: list.issuer,
  number: list.number,
  thisUpdate: isoTime(list.thisUpdate),
  nextUpdate: isoTime(list.nextUpdate),
  entries: list.entries.map(({ serial, at, reason }) => ({
    serial,
    node: names.get(serial) ?? null,
    at: isoTime(at),
    reason,
  })),
});
