import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Certified, type Receiver, startReceiver } from "../../../../test/contract/channel-receiver.ts";
import { SAMPLE_NOTIFICATION } from "../../../../test/contract/sample-notification.ts";
import { DAY_MS, selfSigned } from "../../../../test/contract/self-signed.ts";
import type { DeliveryOutcome } from "../../../core/io.ts";
import { wallTime } from "../../../kit/time.ts";
import { createWebhook } from "./webhook.ts";

describe("webhook over https", () => {
  let receiver: Receiver | undefined;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "balefire-webhook-"));
  });
  afterEach(async () => {
    await receiver?.close();
    receiver = undefined;
    rmSync(folder, { recursive: true });
  });

  const deliver = async (certified: Certified, trusted: string): Promise<DeliveryOutcome> => {
    const rootsFile = join(folder, "roots.pem");
    writeFileSync(rootsFile, trusted);
    receiver = await startReceiver(certified);
    const url = `https://127.0.0.1:${receiver.port}/t0ken-in-path`;
    const config = { name: "phone", type: "webhook", url } as const;
    const webhook = createWebhook(config, { wall: () => wallTime(Date.now()), rootsFile });
    return webhook.deliver(SAMPLE_NOTIFICATION, 5000);
  };
  const now = Date.now();
  const valid = (host = "127.0.0.1"): Promise<Certified> => selfSigned(host, now - DAY_MS, now + DAY_MS);

  it("delivers to a receiver whose certificate this host trusts", async () => {
    const certified = await valid();
    expect(await deliver(certified, certified.cert)).toEqual({
      outcome: "delivered",
      detail: "HTTP 200: ok",
    });
  });

  it("sends nothing to a receiver whose certificate this host does not trust, and says why", async () => {
    const result = await deliver(await valid(), (await valid()).cert);
    expect(result.outcome).toBe("temporary");
    expect(result.detail).toMatch(
      /^https:\/\/127\.0\.0\.1:\d+: its certificate is not trusted \(self-signed/,
    );
    expect(receiver?.received).toHaveLength(0);
  });

  it("sends nothing to a receiver whose certificate is for another host", async () => {
    const certified = await valid("127.0.0.9");
    expect((await deliver(certified, certified.cert)).detail).toMatch(/its certificate is for another name$/);
    expect(receiver?.received).toHaveLength(0);
  });

  it("sends nothing to a receiver whose certificate has expired", async () => {
    const certified = await selfSigned("127.0.0.1", now - 2 * DAY_MS, now - DAY_MS);
    expect((await deliver(certified, certified.cert)).detail).toMatch(/its certificate has expired$/);
    expect(receiver?.received).toHaveLength(0);
  });

  it("trusts nobody for want of a file of roots but those that Node brings along", async () => {
    receiver = await startReceiver(await valid());
    const config = { name: "phone", type: "webhook", url: `https://127.0.0.1:${receiver.port}/` } as const;
    const webhook = createWebhook(config, { wall: () => wallTime(now), rootsFile: join(folder, "none") });
    expect((await webhook.deliver(SAMPLE_NOTIFICATION, 5000)).detail).toMatch(
      /its certificate is not trusted/,
    );
  });

  it("gives up in time on a receiver that accepts and never shakes hands", async () => {
    const server: Server = createServer((socket) => socket.on("error", () => undefined));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const config = { name: "phone", type: "webhook", url: `https://127.0.0.1:${port}/` } as const;
    const webhook = createWebhook(config, { wall: () => wallTime(now) });
    expect(await webhook.deliver(SAMPLE_NOTIFICATION, 200)).toEqual({
      outcome: "temporary",
      detail: `https://127.0.0.1:${port}: no connection within 200 ms`,
    });
    server.close();
  });

  it("says so when the receiver does not speak TLS", async () => {
    receiver = await startReceiver();
    const config = { name: "phone", type: "webhook", url: `https://127.0.0.1:${receiver.port}/` } as const;
    const webhook = createWebhook(config, { wall: () => wallTime(now) });
    const result = await webhook.deliver(SAMPLE_NOTIFICATION, 5000);
    expect(result.outcome).toBe("temporary");
    expect(result.detail).toMatch(/no TLS connection could be agreed on; is it https\?$/);
  });
});
