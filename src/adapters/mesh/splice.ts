/**
 * Relays a join: raw bytes between the joiner and the keymaster, whose TLS this node cannot read.
 * Bounded in number, time and bytes, since anyone may ask for it.
 */
import { connect, type Socket } from "node:net";
import type { Address } from "../../core/types.ts";
import type { Failure } from "../../kit/result.ts";
import type { AddressParts } from "../../wire/address.ts";
import { JOIN_ANSWER_BYTES_MAX, JOIN_REQUEST_BYTES_MAX } from "../../wire/join.ts";
import { fault } from "./fault.ts";
import { ipAddressParts } from "./socket-address.ts";

export const SPLICES_MAX = 8;
export const SPLICE_MS_MAX = 30_000;
const CONNECT_MS_MAX = 3000;
const TLS_BYTES = 65_536;
/** What a join takes each way, and TLS's own. */
const TO_KEYMASTER_BYTES_MAX: number = JOIN_REQUEST_BYTES_MAX + TLS_BYTES;
const TO_JOINER_BYTES_MAX: number = JOIN_ANSWER_BYTES_MAX + TLS_BYTES;

export type LocalHostFor = (target: AddressParts) => string | undefined;

export class Splices {
  readonly #joiners = new Set<Socket>();
  readonly #localHostFor: LocalHostFor;
  constructor(localHostFor: LocalHostFor) {
    this.#localHostFor = localHostFor;
  }

  get size(): number {
    return this.#joiners.size;
  }

  /** The failure is why not a byte went on; the joiner is then the caller's to close. */
  async relay(joiner: Socket, keymaster: readonly Address[]): Promise<Failure | undefined> {
    if (this.#joiners.size >= SPLICES_MAX) {
      return fault("limit-reached", `${SPLICES_MAX} joins are being relayed already`, true);
    }
    this.#joiners.add(joiner);
    const cut = setTimeout(() => joiner.destroy(), SPLICE_MS_MAX);
    joiner.once("close", () => {
      clearTimeout(cut);
      this.#joiners.delete(joiner);
    });
    const upstream = await this.#reach(keymaster, joiner);
    if (upstream === undefined) {
      return fault(
        "keymaster-unreachable",
        "a join could not be relayed: the keymaster does not answer",
        true,
      );
    }
    splice(joiner, upstream);
    return undefined;
  }

  /** Its addresses one after the other, while the joiner waits. */
  async #reach(addresses: readonly Address[], joiner: Socket): Promise<Socket | undefined> {
    for (const address of addresses) {
      const parts = ipAddressParts(address);
      if (parts === undefined || joiner.destroyed) continue;
      const socket = await connected(parts, this.#localHostFor(parts));
      if (socket !== undefined) return socket;
    }
    return undefined;
  }

  close(): void {
    for (const joiner of this.#joiners) joiner.destroy();
  }
}

function connected(
  { host, port }: AddressParts,
  localAddress: string | undefined,
): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    const give = (result: Socket | undefined): void => {
      clearTimeout(timer);
      if (result === undefined) socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => give(undefined), CONNECT_MS_MAX);
    socket.once("connect", () => give(socket));
    socket.on("error", () => give(undefined));
  });
}

function splice(joiner: Socket, keymaster: Socket): void {
  const cutBoth = (): void => {
    joiner.destroy();
    keymaster.destroy();
  };
  if (joiner.destroyed) {
    cutBoth();
    return;
  }
  copy(joiner, keymaster, TO_KEYMASTER_BYTES_MAX, cutBoth);
  copy(keymaster, joiner, TO_JOINER_BYTES_MAX, cutBoth);
}

/** What was sent before an end still arrives. */
function copy(from: Socket, to: Socket, bytesMax: number, cutBoth: () => void): void {
  let bytes = 0;
  from.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) cutBoth();
  });
  from.pipe(to);
  from.on("error", cutBoth);
  from.on("close", () => to.destroySoon());
}
