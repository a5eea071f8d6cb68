/** The history's own thread: a disk that takes seconds to answer stops this, and no beat. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { assert } from "../../kit/assert.ts";
import type { HistoryReply, HistorySettings, NumberedRequest } from "./history-requests.ts";
import { HistorySession } from "./history-session.ts";

assert(!isMainThread && parentPort !== null, "the history's worker is started as one");
const port = parentPort;
const settings = workerData as HistorySettings;
const say = (reply: HistoryReply): void => port.postMessage(reply);
const session = new HistorySession(settings, (failure) => say({ type: "trouble", failure }));

/** Runs while something is in memory alone. */
let timer: NodeJS.Timeout | undefined;
function schedule(): void {
  if (session.unwritten === 0) {
    clearTimeout(timer);
    timer = undefined;
  } else {
    timer ??= setTimeout(() => {
      timer = undefined;
      session.flush();
      schedule();
    }, session.flushAfterMs);
  }
}

port.on("message", ({ number, request }: NumberedRequest) => {
  say({ type: "answer", number, result: session.serve(request) });
  if (request.type === "close") {
    clearTimeout(timer);
    port.close();
  } else schedule();
});
