import type { TLSSocket } from "node:tls";
import { failure, ok, type Result } from "../kit/result.ts";
import type { Duration } from "../kit/time.ts";

const NEWLINE = 0x0a;

/** Reads the lines of a join one by one, each bounded in size and time. Owns the socket's `data` and `error`. */
export class JoinLines {
  readonly #socket: TLSSocket;
  #held: Buffer = Buffer.alloc(0);
  #ended: string | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
      // The reader decides whether this is too much already; until it has, no more is taken in.
      socket.pause();
      this.#wake?.();
    });
    socket.on("end", () => this.#end("the other side closed the connection"));
    socket.on("close", () => this.#end("the connection was closed"));
    socket.on("error", (error: Error) =>
      this.#end(`the connection broke (${"code" in error ? error.code : error.name})`),
    );
  }

  /** One line without its end. Fails with `protocol-violation` (too long) or `keymaster-unreachable` (ended, late). */
  async next(bytesMax: number, patience: Duration): Promise<Result<string>> {
    const deadline = performance.now() + patience;
    for (;;) {
      const end = this.#held.indexOf(NEWLINE);
      if (end > bytesMax || (end < 0 && this.#held.length > bytesMax)) {
        return failure("protocol-violation", `a line of the join is longer than ${bytesMax} bytes`);
      }
      if (end >= 0) {
        const line = this.#held.subarray(0, end).toString("utf8");
        this.#held = this.#held.subarray(end + 1);
        return ok(line);
      }
      if (this.#ended !== undefined) return failure("keymaster-unreachable", this.#ended, undefined, true);
      const left = deadline - performance.now();
      if (left <= 0) return failure("keymaster-unreachable", "the other side took too long", undefined, true);
      await this.#more(left);
    }
  }

  #more(patienceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#socket.resume();
    });
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#wake?.();
  }
}
