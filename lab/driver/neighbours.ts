/**
 * Linux keeps one table of neighbours (ARP) for all namespaces, of 1,024 entries unless told otherwise
 * (Documentation/networking/ip-sysctl.rst, gc_thresh3). Thirty-two nodes that all know one another fill
 * it, and then packets are lost that no real network would lose.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { atEnd } from "./cleanup.ts";

const TABLE_MAX = "/proc/sys/net/ipv4/neigh/default/gc_thresh3";
/** Others use the table as well, and an entry goes only some time after it was last used. */
const SPARE = 4;

/** Makes the table large enough for so many hosts that all talk; the returned function puts it back. */
export function roomForNeighbours(hosts: number): () => void {
  const wanted = SPARE * hosts * hosts;
  const before = Number(readFileSync(TABLE_MAX, "utf8"));
  if (before >= wanted) return () => {};
  writeFileSync(TABLE_MAX, String(wanted));
  return atEnd(() => writeFileSync(TABLE_MAX, String(before)));
}
