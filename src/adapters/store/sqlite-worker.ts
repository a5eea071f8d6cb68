/** The store's own thread: a disk that takes seconds to answer stops this, and no beat. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { assert } from "../../kit/assert.ts";
import type { NumberedRequest, StoreReply, StoreSettings } from "./sqlite-requests.ts";
import { createSession } from "./sqlite-session.ts";

assert(!isMainThread && parentPort !== null, "the store's worker is started as one");
const port = parentPort;
const session = createSession(workerData as StoreSettings);

port.on("message", ({ number, request }: NumberedRequest) => {
  const tell = (reply: StoreReply): void => port.postMessage(reply);
  const result = session.serve(request, (records) => tell({ number, type: "rows", records }));
  if (result.ok) tell({ number, type: "done", damaged: result.value });
  else tell({ number, type: "failed", failure: result.error });
  if (request.type === "close") port.close();
});
