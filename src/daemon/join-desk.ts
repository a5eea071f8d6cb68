import type { TLSSocket } from "node:tls";
import { failure, type Result } from "../kit/result.ts";
import { type Duration, seconds } from "../kit/time.ts";
import {
  encodeJoinLine,
  JOIN_EXPORTER_BYTES,
  JOIN_EXPORTER_LABEL,
  JOIN_REQUEST_BYTES_MAX,
  type JoinHello,
  type JoinRequest,
  parseJoinRequest,
} from "../wire/join.ts";
import { JoinLines } from "./join-line.ts";

/** Joining is rare; what comes beyond this is noise or an attack. */
const CONCURRENT_MAX = 16;
const REQUEST_PATIENCE: Duration = seconds(10);
const CLOSE_PATIENCE: Duration = seconds(2);

export interface Admission {
  /** PEM: leaf, then intermediate. */
  readonly certificate: string;
  readonly roster: string;
}
export type Admit = (request: JoinRequest, exporterHex: string) => Promise<Result<Admission>>;

/** The keymaster's side of the join conversation; who is let in is decided by `admit`. */
export class JoinDesk {
  readonly #hello: () => JoinHello | undefined;
  readonly #admit: Admit;
  #busy = 0;

  /** `hello`: undefined while nobody is let in here. */
  constructor(hello: () => JoinHello | undefined, admit: Admit) {
    this.#hello = hello;
    this.#admit = admit;
  }

  /** Owns the socket from here on; resolves when it is done with. Never rejects for what the other side does. */
  async handle(socket: TLSSocket): Promise<void> {
    const lines = new JoinLines(socket);
    const hello = this.#hello();
    if (hello === undefined || this.#busy >= CONCURRENT_MAX || socket.getProtocol() !== "TLSv1.3") {
      socket.destroy();
      return;
    }
    this.#busy += 1;
    try {
      socket.write(encodeJoinLine(hello));
      const line = await lines.next(JOIN_REQUEST_BYTES_MAX, REQUEST_PATIENCE);
      const answer = line.ok
        ? await this.#answer(socket, line.value)
        : failure("protocol-violation", line.error.message);
      await close(socket, encodeAnswer(answer));
    } finally {
      this.#busy -= 1;
      socket.destroy();
    }
  }

  async #answer(socket: TLSSocket, line: string): Promise<Result<Admission>> {
    const request = parseJoinRequest(line);
    if (!request.ok) return request;
    // Node cannot export from a connection that is gone.
    if (socket.destroyed) return failure("protocol-violation", "the joiner left before its answer");
    const exporter = socket.exportKeyingMaterial(JOIN_EXPORTER_BYTES, JOIN_EXPORTER_LABEL, Buffer.alloc(0));
    return this.#admit(request.value, exporter.toString("hex"));
  }
}

function encodeAnswer(answer: Result<Admission>): string {
  return encodeJoinLine(
    answer.ok ? { schema: 1, ok: true, ...answer.value } : { schema: 1, ok: false, error: answer.error },
  );
}

/** Keeps reading until the other side has closed, so that a reset does not eat the answer on its way. */
function close(socket: TLSSocket, lastLine: string): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, CLOSE_PATIENCE);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    if (socket.destroyed) {
      clearTimeout(timer);
      resolve();
      return;
    }
    socket.removeAllListeners("data");
    socket.resume();
    socket.end(lastLine);
  });
}
