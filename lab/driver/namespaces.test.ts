import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ended, runNow, runToEnd } from "./child.ts";
import { until } from "./clock.ts";
import { type NamespaceNetwork, namespaceNetwork, whyNoNamespaces } from "./namespaces.ts";
import type { Receiver } from "./receiver.ts";

const reason = whyNoNamespaces();

test("under CI=true namespaces must be usable", () => {
  if (process.env.CI === "true") expect(reason).toBeUndefined();
});

describe.skipIf(reason !== undefined)(`namespaces${reason === undefined ? "" : ` (${reason})`}`, () => {
  let network: NamespaceNetwork;
  let receiver: Receiver;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    network = namespaceNetwork(3);
    receiver = await network.openReceiver();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await receiver.close();
    network.close();
  });

  /** Sends UDP datagrams from one node to another; true when one arrived within 100 ms of the last. */
  async function datagramPasses(from: number, to: number): Promise<boolean> {
    const listen = `const s=require('dgram').createSocket('udp4');s.on('message',()=>process.exit(0));
      s.bind(9,${JSON.stringify(network.addressOf(to))},()=>console.log('ready'));
      process.stdin.resume().on('end',()=>setTimeout(()=>process.exit(1),100))`;
    const send = `const s=require('dgram').createSocket('udp4');
      let n=0;const t=setInterval(()=>{s.send('x',9,${JSON.stringify(network.addressOf(to))},()=>{});if(++n>5)process.exit(0)},50)`;
    const [command = "", ...args] = network.inside(to, [process.execPath, "-e", listen]);
    const listener = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    children.push(listener);
    await new Promise((resolve) => listener.stdout.once("data", resolve));
    await runToEnd(network.inside(from, [process.execPath, "-e", send]), { timeoutMs: 5000 });
    listener.stdin.end();
    await ended(listener);
    return listener.exitCode === 0;
  }

  const post = (place: number, on = network, to = receiver): Promise<{ code: number | null }> =>
    runToEnd(
      on.inside(place, [
        process.execPath,
        "-e",
        `fetch(${JSON.stringify(to.url)},{method:'POST',body:'{"from":${place}}',signal:AbortSignal.timeout(700)}).then(()=>process.exit(0),()=>process.exit(7))`,
      ]),
      { timeoutMs: 5000 },
    );

  const carrier = (place: number): boolean => {
    const [command = "", ...args] = network.inside(place, ["ip", "-j", "link", "show", "eth0"]);
    return !runNow([command, ...args]).includes("NO-CARRIER");
  };

  test("a cut node loses carrier and reaches nobody, and a restored one reaches the receiver", async () => {
    expect((await post(1)).code).toBe(0);
    network.cut(1);
    expect(carrier(1)).toBe(false);
    expect(carrier(0)).toBe(true);
    expect((await post(1)).code).toBe(7);
    network.restore(1);
    expect((await post(1)).code).toBe(0);
    expect(receiver.deliveries.map((delivery) => delivery.body)).toEqual([{ from: 1 }, { from: 1 }]);
  });

  test("an isolated node keeps its carrier and reaches nobody", async () => {
    network.isolate(2);
    expect(carrier(2)).toBe(true);
    expect((await post(2)).code).toBe(7);
    network.rejoin(2);
    expect((await post(2)).code).toBe(0);
  });

  test("a deafened node hears one peer no more, who still hears it", async () => {
    network.deafen(0, 1);
    const [toDeaf, toOther] = [await datagramPasses(1, 0), await datagramPasses(1, 2)];
    expect({ toDeaf, toOther }).toEqual({ toDeaf: false, toOther: true });
    network.clear(0);
    expect(await datagramPasses(1, 0)).toBe(true);
  });

  test("a node with stopped ears hears nobody, and is heard", async () => {
    network.stopEars(0);
    const [toDeaf, fromDeaf] = [await datagramPasses(1, 0), await datagramPasses(0, 1)];
    expect({ toDeaf, fromDeaf }).toEqual({ toDeaf: false, fromDeaf: true });
  });

  test("groups that the switch keeps apart hear only their own, and reach the receiver", async () => {
    network.split([[0, 1], [2]]);
    const [within, across] = [await datagramPasses(0, 1), await datagramPasses(0, 2)];
    expect({ within, across }).toEqual({ within: true, across: false });
    expect((await post(2)).code).toBe(0);
  });

  test("a node that loses the receiver still reaches the others", async () => {
    network.loseReceiver(1);
    expect((await post(1)).code).toBe(7);
    expect(await datagramPasses(1, 2)).toBe(true);
    expect((await post(2)).code).toBe(0);
  });

  test("of two networks either carries the way to the receiver when the other has no carrier", async () => {
    const two = namespaceNetwork(2, 2);
    const listener = await two.openReceiver();
    const reach = async (): Promise<number | null> => (await post(0, two, listener)).code;
    for (const which of [1, 2] as const) {
      two.powerSwitch(which, false);
      expect(await reach(), `without network ${which}`).toBe(0);
      two.powerSwitch(which, true);
    }
    two.powerSwitch(1, false);
    two.powerSwitch(2, false);
    expect(await reach()).toBe(7);
    await listener.close();
    two.close();
  });

  test("full loss stops everything, and clearing lets it pass again", async () => {
    network.lose(1, 100);
    expect((await post(1)).code).toBe(7);
    network.clear(1);
    expect((await post(1)).code).toBe(0);
  });

  test("traffic is counted by node and direction", async () => {
    const before = network.counters(0);
    await post(0);
    const after = network.counters(0);
    expect(after.sentBytes).toBeGreaterThan(before.sentBytes + 100);
    expect(after.receivedBytes).toBeGreaterThan(before.receivedBytes + 100);
  });

  test("closing removes every namespace and ends what runs inside", async () => {
    const other = namespaceNetwork(1);
    const [command = "", ...args] = other.inside(0, ["sleep", "60"]);
    const child = spawn(command, args);
    const name = args[2] ?? "";
    await until("the child to be inside", 2000, () =>
      runNow(["ip", "netns", "pids", name]).includes(String(child.pid)) ? true : undefined,
    );
    other.close();
    await ended(child);
    expect(child.signalCode).toBe("SIGKILL");
    expect(readdirSync("/run/netns").some((entry) => entry.startsWith(name.replace(/n0$/, "")))).toBe(false);
  });

  test("what a killed lab left behind is swept at the next start", async () => {
    const gone = spawn("true");
    await ended(gone);
    const stale = `bf-${gone.pid}-dead-sw`;
    runNow(["ip", "netns", "add", stale]);
    namespaceNetwork(1).close();
    expect(existsSync(`/run/netns/${stale}`)).toBe(false);
  });
});

test("more nodes than the address plan holds are refused before anything is made", () => {
  expect(() => namespaceNetwork(41)).toThrow("1 to 40");
});
