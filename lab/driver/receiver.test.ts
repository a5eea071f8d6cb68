import { afterEach, expect, test } from "vitest";
import { machineMs, until } from "./clock.ts";
import { openReceiver, type Receiver } from "./receiver.ts";
import { spawnReceiver } from "./remote-receiver.ts";

const open: Receiver[] = [];
afterEach(async () => {
  for (const receiver of open.splice(0)) await receiver.close();
});

const kinds: readonly (readonly [string, () => Promise<Receiver>])[] = [
  ["in this process", () => openReceiver("127.0.0.1")],
  ["in a process of its own", () => spawnReceiver((argv) => argv, "127.0.0.1")],
];

for (const [where, start] of kinds) {
  const opened = async (): Promise<Receiver> => {
    const receiver = await start();
    open.push(receiver);
    return receiver;
  };

  test(`a receiver ${where} records body, headers and time on the machine's clock`, async () => {
    const receiver = await opened();
    const before = machineMs();
    const response = await fetch(receiver.url, {
      method: "POST",
      headers: { "balefire-event": "test" },
      body: JSON.stringify({ schema: 1 }),
    });
    expect(response.status).toBe(200);
    const delivery = await until("the delivery", 2000, () => receiver.deliveries[0]);
    expect(delivery.body).toEqual({ schema: 1 });
    expect(delivery.headers["balefire-event"]).toBe("test");
    expect(delivery.atMs).toBeGreaterThanOrEqual(before);
    expect(delivery.atMs).toBeLessThanOrEqual(machineMs());
  });

  test(`a receiver ${where} can be told to refuse, and to hang`, async () => {
    const receiver = await opened();
    await receiver.answer("refuse");
    expect((await fetch(receiver.url, { method: "POST", body: "{}" })).status).toBe(500);
    await receiver.answer("hang");
    const hanging = fetch(receiver.url, { method: "POST", body: "{}", signal: AbortSignal.timeout(300) });
    await expect(hanging).rejects.toThrow();
    expect(await until("both deliveries", 2000, () => receiver.deliveries[1])).toMatchObject({
      answered: "hang",
    });
  });

  test(`a receiver ${where} keeps text that is not JSON as text`, async () => {
    const receiver = await opened();
    await fetch(receiver.url, { method: "POST", body: "{torn" });
    expect((await until("the delivery", 2000, () => receiver.deliveries[0])).body).toBe("{torn");
  });
}
