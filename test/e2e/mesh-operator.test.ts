/** What an operator does to running daemons: shared configuration, reload, test messages, and mistakes. */
import { createHmac } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { type Finished, runToEnd } from "../../lab/driver/child.ts";
import { until } from "../../lab/driver/clock.ts";
import type { Daemon } from "../../lab/driver/daemon.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { messageIn } from "../../lab/driver/message.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";
import type {
  ConfigEffectiveReport,
  DoctorReport,
  NotifyListReport,
  StatusReport,
} from "../../src/wire/rpc.ts";

const PORT = 17_754;
const WAIT_MS_MAX = 15_000;
const SECRET = "a-shared-secret-of-the-receiver";
let mesh: Mesh;

beforeAll(async () => {
  mesh = await Mesh.form({
    names: ["a", "b", "c"],
    network: loopbackNetwork(),
    balefire: FROM_SOURCE,
    port: PORT,
    policy: { daemonDown: { grace: "0s" } },
  });
});
afterAll(() => mesh.close());

const command = (daemon: Daemon, ...words: string[]): Promise<Finished> =>
  runToEnd([...FROM_SOURCE, ...words], { env: daemon.env, timeoutMs: 60_000 });

async function json<T>(daemon: Daemon, ...words: string[]): Promise<T> {
  return JSON.parse((await command(daemon, ...words, "--json")).stdout) as T;
}

const channelsOf = async (name: string): Promise<readonly string[]> => {
  const report = await json<ConfigEffectiveReport>(mesh.daemon(name), "config", "show", "--effective");
  return report.settings
    .filter(({ key }) => key.startsWith("channels."))
    .map(({ key, origin }) => `${key} ${origin}`);
};

describe("shared configuration", () => {
  test("applied on a node that does not sign, it is numbered by the keymaster and reaches everyone", async () => {
    const file = join(mesh.daemon("c").folder, "shared.yaml");
    const channel = `{name: pager, type: webhook, url: "${mesh.receiver.url}pager", secret: ${SECRET}}`;
    writeFileSync(file, `channels: [${channel}]\npolicy: {daemonDown: {grace: 0s}}\n`, { mode: 0o600 });
    const before = await mesh.daemon("a").status();
    const applied = await json<{ epoch: number; changed: boolean }>(
      mesh.daemon("c"),
      "config",
      "apply",
      file,
    );
    expect(applied).toMatchObject({ changed: true, epoch: before.epoch + 1 });
    for (const name of ["a", "b", "c"]) {
      await until(`${name} to have the shared channel`, WAIT_MS_MAX, async () =>
        (await channelsOf(name)).includes("channels.pager shared") ? true : undefined,
      );
    }
    const again = await json<{ changed: boolean }>(mesh.daemon("b"), "config", "apply", file);
    expect(again.changed).toBe(false);
  });

  test("what cannot be right is refused with place and fix, and changes nothing", async () => {
    const file = join(mesh.daemon("b").folder, "wrong.yaml");
    writeFileSync(file, "chanels: []\n", { mode: 0o600 });
    const before = await mesh.daemon("b").status();
    const refused = await command(mesh.daemon("b"), "config", "apply", file);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/wrong\.yaml:1:1/);
    expect(refused.stderr).toMatch(/channels/);
    expect((await mesh.daemon("b").status()).epoch).toBe(before.epoch);
  });

  test("its secrets are shown nowhere", async () => {
    for (const name of ["a", "b", "c"]) {
      const daemon = mesh.daemon(name);
      const shown = await Promise.all([
        command(daemon, "config", "show", "--effective"),
        command(daemon, "notify", "list", "--json"),
        command(daemon, "doctor"),
      ]);
      for (const { stdout, stderr } of shown) expect(stdout + stderr).not.toContain(SECRET);
      expect(daemon.logTail()).not.toContain(SECRET);
    }
  });
});

describe("test messages", () => {
  test("go over the production path, signed, and prove the channel to everyone", async () => {
    const tested = await json<{ results: { channel: string; outcome: string; detail: string }[] }>(
      mesh.daemon("b"),
      "notify",
      "test",
      "pager",
    );
    expect(tested.results).toMatchObject([{ channel: "pager", outcome: "delivered" }]);
    const delivery = await mesh.delivery("the test message", WAIT_MS_MAX, ({ path }) => path === "/pager");
    expect(messageIn(delivery)).toMatchObject({
      kind: "test",
      state: "note",
      viewpoint: { node: "b", of: 3 },
    });
    expect(delivery.headers["balefire-event"]).toBe("note");
    const stamp = delivery.headers["balefire-timestamp"] ?? "";
    const expected = createHmac("sha256", SECRET)
      .update(`${stamp}.${JSON.stringify(delivery.body)}`)
      .digest("hex");
    expect(delivery.headers["balefire-signature"]).toBe(`sha256=${expected}`);
    await until("a to know that the channel is proven", WAIT_MS_MAX, async () => {
      const { channels } = await json<NotifyListReport>(mesh.daemon("a"), "notify", "list");
      const pager = channels.find(({ name }) => name === "pager");
      return pager?.proven === true && pager.deliveries[0]?.node === "b" ? true : undefined;
    });
    const { health } = await json<StatusReport>(mesh.daemon("a"), "status");
    expect(health).toBe("ok");
  });

  test("for a channel that is not there, the known ones are named", async () => {
    const refused = await command(mesh.daemon("a"), "notify", "test", "fax");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/pager/);
  });
});

describe("SIGHUP", () => {
  const reload = (daemon: Daemon, text: string): void => {
    writeFileSync(join(daemon.folder, "config.yaml"), text, { mode: 0o600 });
    process.kill(daemon.pid, "SIGHUP");
  };

  test("reads the file again", async () => {
    reload(mesh.daemon("b"), `channels: [{name: own-hook, type: webhook, url: "${mesh.receiver.url}own"}]\n`);
    await until("b to have its new channel", WAIT_MS_MAX, async () =>
      (await channelsOf("b")).includes("channels.own-hook file") ? true : undefined,
    );
  });

  test("keeps what was there when the file is wrong, and says what is wrong", async () => {
    const daemon = mesh.daemon("b");
    reload(daemon, "channels: [{name: x}]\n");
    await until("b to complain", WAIT_MS_MAX, async () =>
      daemon.logTail().includes("the configuration is kept as it was") ? true : undefined,
    );
    expect(await channelsOf("b")).toContain("channels.own-hook file");
  });
});

describe("doctor", () => {
  test("finds paths, clocks, certificates and channels in order", async () => {
    const { findings } = await json<DoctorReport>(mesh.daemon("a"), "doctor");
    const failed = findings.filter(({ level }) => level === "failed");
    expect(failed).toEqual([]);
    const checks = findings.map(({ check }) => check);
    for (const check of [
      "ports",
      "path to b",
      "path to c",
      "clocks",
      "certificate of this node",
      "channel pager",
    ]) {
      expect(checks).toContain(check);
    }
  });
});

describe("mistakes", () => {
  test("a second daemon on the same state is refused, and the first goes on", async () => {
    const second = await command(mesh.daemon("a"), "run");
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/state-locked/);
    expect((await mesh.daemon("a").status()).nodes).toHaveLength(3);
  });

  test("a key that others may read stops the start with the command that mends it", async () => {
    const daemon = mesh.daemon("c");
    await mesh.perform("stop", "c");
    const key = join(daemon.folder, "state/node.key");
    chmodSync(key, 0o644);
    const refused = await command(daemon, "run");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/chmod 600/);
    chmodSync(key, 0o600);
  });

  test("a torn roster is named and left as it is", async () => {
    const daemon = mesh.daemon("c");
    const file = join(daemon.folder, "state/roster.json");
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, whole.length / 2), { mode: 0o600 });
    const refused = await command(daemon, "run");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/roster\.json/);
    expect(readFileSync(file)).toHaveLength(Math.floor(whole.length / 2));
    writeFileSync(file, whole, { mode: 0o600 });
  });

  test("a port that is taken is named", async () => {
    const daemon = mesh.daemon("c");
    const holder = createServer((socket) => socket.destroy()).listen(PORT, "127.0.0.3");
    await new Promise((resolve) => holder.once("listening", resolve));
    const refused = await command(daemon, "run");
    await new Promise((resolve) => holder.close(resolve));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/127\.0\.0\.3:17754/);
    expect(refused.stderr).toMatch(/address-in-use/);
  });

  test("after all that it starts again, and nobody was told of its absence", async () => {
    await mesh.perform("revive", "c");
    await mesh.settled();
    expect(mesh.receiver.deliveries.filter(({ path }) => path === "/pager")).toHaveLength(1);
  });
});
