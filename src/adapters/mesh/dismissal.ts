/**
 * A node that was removed while it was off comes back and knocks, or one that was let in by a keymaster
 * which has lost. It is let in as far as to be told: a hello, the signed roster that does not hold it, and
 * a bye. Nothing that it says is read, and the
 * roster is proof to it: no single peer's word ends a daemon.
 */
import type { TLSSocket } from "node:tls";
import { encodeEnvelope } from "../../wire/envelope.ts";
import { encodeBye, encodeHello, type Hello } from "../../wire/peer-hello.ts";
import { encodeFrame, FRAME_BYE, FRAME_ENVELOPE, FRAME_HELLO } from "./frames.ts";

/** Told at a time; a roster may be a megabyte. */
const DISMISSALS_MAX = 4;
/** How long it may take to read it. */
const DISMISSAL_MS_MAX = 2000;

export class Dismissals {
  readonly #underWay = new Set<TLSSocket>();

  /** Takes the connection over; false when too many are being told already. */
  tell(socket: TLSSocket, hello: Hello, roster: string): boolean {
    if (this.#underWay.size >= DISMISSALS_MAX) return false;
    this.#underWay.add(socket);
    const cut = setTimeout(() => socket.destroy(), DISMISSAL_MS_MAX);
    cut.unref();
    socket.once("close", () => {
      clearTimeout(cut);
      this.#underWay.delete(socket);
    });
    const news = encodeEnvelope({ message: { t: "roster", signed: roster } });
    const frames = [
      encodeFrame(FRAME_HELLO, encodeHello(hello)),
      encodeFrame(FRAME_ENVELOPE, news),
      encodeFrame(FRAME_BYE, encodeBye("revoked")),
    ];
    socket.resume();
    socket.end(Buffer.concat(frames.filter((frame) => frame !== undefined)));
    return true;
  }

  close(): void {
    for (const socket of this.#underWay) socket.destroy();
  }
}
