/** Whether an HTTP port answers, by its own page of health. */
import { connect } from "node:net";
import { loopbackParts } from "../../wire/http-listen.ts";

const PATIENCE_MS = 3000;
const STATUS_LINE = /^HTTP\/1\.1 (200|503) /;

/** By hand: an HTTP client would cost more memory than the question is worth. Never rejects. */
export function answersHealth(address: string): Promise<boolean> {
  const target = loopbackParts(address);
  if (target === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(target);
    let received = "";
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
    socket.setEncoding("latin1");
    socket.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    socket.on("data", (text: string) => {
      received += text;
      if (received.includes("\r\n")) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(STATUS_LINE.test(received));
    });
  });
}
