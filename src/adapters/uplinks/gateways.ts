/**
 * Whether a gateway answers. Asked by connecting to a port that hardly anyone serves: what connect()
 * returns says as much as the kernel knows (see adapters/prober for the table of errors).
 */
import { connect } from "node:net";
import { neighbourState, type Roots } from "./interfaces.ts";

/** The discard port (RFC 863): a refusal is as good as an answer. */
const KNOCK_PORT = 9;
/** The core waits 250 ms for a look: less than that, with time to spare for a busy host. */
export const GATEWAY_PATIENCE_MS: number = 200;

/** What one attempt at a gateway brought: its kernel answered, its neighbours were told that it is not there, or nothing. */
export type Knock = "answered" | "unreachable" | "silence";

/**
 * - `answers`: just now.
 * - `absent`: nobody on that network has its address.
 * - `silent`: it has answered before and does not now.
 * - `mute`: no answer, but it has never given one: it may drop what is not for it.
 */
export type GatewayState = "answers" | "absent" | "silent" | "mute";

export interface Gateway {
  readonly host: string;
  /** The interface it is reached by. */
  readonly name: string;
}

export interface GatewayLook extends Gateway {
  readonly state: GatewayState;
  /** It has answered at some time: its silence now means something. */
  readonly known: boolean;
}

/** Remembers who has answered: of the others, silence proves nothing. */
export class Gateways {
  readonly #knock: (gateway: Gateway) => Promise<Knock>;
  readonly #answered = new Set<string>();

  constructor(knock: (gateway: Gateway) => Promise<Knock> = knockByTcp) {
    this.#knock = knock;
  }

  look(roots: Roots, gateways: readonly Gateway[]): Promise<GatewayLook[]> {
    return Promise.all(gateways.slice(0, GATEWAYS_MAX).map((gateway) => this.#lookAt(roots, gateway)));
  }

  async #lookAt(roots: Roots, gateway: Gateway): Promise<GatewayLook> {
    const { host, name } = gateway;
    const key = `${name} ${host}`;
    const knock = await this.#knock(gateway);
    if (knock === "answered") {
      this.#remember(key);
      return { ...gateway, state: "answers", known: true };
    }
    const known = this.#answered.has(key);
    // While the kernel still asks around for it, the entry is there and incomplete.
    const absent = knock === "unreachable" || neighbourState(roots, host, name) === "incomplete";
    return { ...gateway, known, state: absent ? "absent" : known ? "silent" : "mute" };
  }

  #remember(key: string): void {
    this.#answered.delete(key);
    this.#answered.add(key);
    const oldest = this.#answered.values().next().value;
    if (this.#answered.size > REMEMBERED_MAX && oldest !== undefined) this.#answered.delete(oldest);
  }
}

/** Looked at in one go; more default routes than that are no household. */
const GATEWAYS_MAX = 8;
const REMEMBERED_MAX = 64;

/** A link-local IPv6 address means something only together with its interface. */
const zoned = ({ host, name }: Gateway): string => (host.startsWith("fe80:") ? `${host}%${name}` : host);

function knockByTcp(gateway: Gateway): Promise<Knock> {
  return new Promise((resolve) => {
    const socket = connect({ host: zoned(gateway), port: KNOCK_PORT });
    const end = (knock: Knock): void => {
      clearTimeout(timer);
      if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
      resolve(knock);
    };
    // A starved process runs its timers first: what has arrived meanwhile is read before silence is concluded.
    const timer = setTimeout(() => setImmediate(end, "silence"), GATEWAY_PATIENCE_MS);
    socket.once("connect", () => end("answered"));
    socket.on("error", ({ code }: NodeJS.ErrnoException) => end(meaning(code)));
  });
}

function meaning(code: string | undefined): Knock {
  if (code === "ECONNREFUSED") return "answered";
  return code === "EHOSTUNREACH" || code === "ENETUNREACH" ? "unreachable" : "silence";
}
