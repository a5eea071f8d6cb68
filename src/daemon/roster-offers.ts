/** Rosters that peers offer: of each peer one is looked into at a time, and of those that wait the latest. */
import type { NodeId } from "../core/types.ts";
import type { Failure } from "../kit/result.ts";
import type { RosterKeeper } from "./roster-keeper.ts";

export interface RosterOffers {
  take(from: NodeId, signed: string): void;
}

/** A roster may be a megabyte, and a peer may send many: what it sends does not add up here. */
export function createRosterOffers(
  keeper: Pick<RosterKeeper, "consider" | "current">,
  onRefused: (from: NodeId, error: Failure) => void,
): RosterOffers {
  /** The latest offer that waits, of each peer that has one looked into. */
  const busy = new Map<NodeId, string | undefined>();

  const consider = async (from: NodeId, first: string): Promise<void> => {
    for (let signed: string | undefined = first; signed !== undefined; signed = busy.get(from)) {
      busy.set(from, undefined);
      const considered = await keeper.consider(signed);
      if (!considered.ok) onRefused(from, considered.error);
    }
    busy.delete(from);
  };

  return {
    take: (from, signed) => {
      if (signed === keeper.current().encoded) return;
      if (busy.has(from)) busy.set(from, signed);
      else void consider(from, signed);
    },
  };
}
