import type { Address, ProbeOutcome } from "../core/types.ts";
import type { Duration } from "../kit/time.ts";

/** Asks whether a host's kernel answers at all: a TCP connect to the mesh port, no privilege, no echo request. */
export interface Prober {
  /** `silent` after `patience`; never rejects. */
  probe(address: Address, patience: Duration): Promise<ProbeOutcome>;
}
