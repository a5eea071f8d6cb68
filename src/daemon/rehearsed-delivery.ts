/** The end of a rehearsal: a message goes out over HTTP as a real one would, to a listener of this process's own. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createWebhook } from "../adapters/channels/webhook/webhook.ts";
import type { DeliveryOutcome } from "../core/io.ts";
import type { Notification } from "../core/notification.ts";
import { wallNow } from "./clock.ts";

/** Where loopback loses packets the daemon starts without. */
const TIMEOUT_MS = 1500;

/** Never rejects; listens on loopback for as long as it takes, at a port of the kernel's choice. */
export async function rehearseDelivery(notification: Notification): Promise<DeliveryOutcome> {
  const receiver = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.end());
  });
  try {
    const port = await listening(receiver);
    const channel = createWebhook(
      { name: "rehearsal", type: "webhook", url: `http://127.0.0.1:${port}/` },
      { wall: wallNow },
    );
    return await channel.deliver(notification, TIMEOUT_MS);
  } catch (error) {
    return { outcome: "temporary", detail: (error as Error).message };
  } finally {
    receiver.close();
  }
}

const listening = (receiver: ReturnType<typeof createServer>): Promise<number> =>
  new Promise((resolve, reject) => {
    receiver.once("error", reject);
    receiver.listen(0, "127.0.0.1", () => resolve((receiver.address() as AddressInfo).port));
  });
