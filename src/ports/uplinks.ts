import type { Address, Uplink } from "../core/types.ts";

/** What this host can tell about its own network while it hears nobody. */
export interface Uplinks {
  /** Looks at the interfaces that hold the given own addresses, and at the way to the gateway; never rejects. */
  look(own: readonly Address[]): Promise<Uplink>;
}
