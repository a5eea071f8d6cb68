/** Where the nodes of a mesh live: on loopback addresses, or each in a namespace of its own. */
import { openReceiver, type Receiver } from "./receiver.ts";

export interface Network {
  readonly kind: "loopback" | "namespaces";
  /** The address of the node at this place (from 0). */
  addressOf(place: number): string;
  /** All of them, one for each network the nodes share. */
  addressesOf(place: number): readonly string[];
  /** The command line that runs `argv` on the node's side of the network. */
  inside(place: number, argv: readonly string[]): readonly string[];
  /** A pulled cable: both ends lose carrier. Throws where the network has no cables. */
  cut(place: number): void;
  restore(place: number): void;
  /** The webhook receiver, reachable by every node that has a link. */
  openReceiver(): Promise<Receiver>;
  close(): void;
}

/** Nodes on 127.0.0.1, 127.0.0.2, … of this machine; needs no privilege. */
export const loopbackNetwork = (): Network => ({
  kind: "loopback",
  addressOf: (place) => `127.0.0.${place + 1}`,
  addressesOf: (place) => [`127.0.0.${place + 1}`],
  inside: (_place, argv) => argv,
  cut: refuseToCut,
  restore: refuseToCut,
  openReceiver: () => openReceiver("127.0.0.1"),
  close: () => {},
});

const refuseToCut = (): never => {
  throw new Error("links can be cut only in namespaces (--netns, as root)");
};
