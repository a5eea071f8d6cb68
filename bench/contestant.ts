/** Whoever is measured: a set of running watchers in namespaces who tell a webhook receiver when one is gone. */
import type { NamespaceNetwork } from "../lab/driver/namespaces.ts";
import type { Delivery, Receiver } from "../lab/driver/receiver.ts";

export interface Contestant {
  readonly name: string;
  readonly version: string;
  readonly network: NamespaceNetwork;
  readonly receiver: Receiver;
  readonly names: readonly string[];
  readonly pids: readonly number[];
  /** Names that this delivery says are down; empty when it says something else. */
  claims(delivery: Delivery): readonly string[];
  /**
   * Kills the victim's daemon and resolves with the milliseconds until another node's verdict says so,
   * null when none does; by then it runs again and everyone sees everyone. Absent: not measured.
   */
  readonly kill?: (victim: string) => Promise<number | null>;
  /** After a link is back: resolves when everyone sees everyone alive again. */
  healed(victim: string): Promise<void>;
  close(): Promise<void>;
}

export type Enter = (size: number, progress: (text: string) => void) => Promise<Contestant>;
