/** Maintenances, silences and heartbeats as an operator sets and sees them, on any node of running daemons. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { type Finished, runToEnd } from "../../lab/driver/child.ts";
import { until } from "../../lab/driver/clock.ts";
import type { Daemon } from "../../lab/driver/daemon.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";
import type {
  DoctorReport,
  MaintenanceListReport,
  NotifyListReport,
  SilenceAddReport,
  SilenceListReport,
} from "../../src/wire/rpc.ts";

const PORT = 18_554;
const WAIT_MS_MAX = 15_000;
let mesh: Mesh;
let a: Daemon;
let b: Daemon;

beforeAll(async () => {
  const network = loopbackNetwork();
  mesh = await Mesh.form({ names: ["a", "b"], network, balefire: FROM_SOURCE, port: PORT });
  a = mesh.daemon("a");
  b = mesh.daemon("b");
});
afterAll(() => mesh.close());

const command = (daemon: Daemon, ...words: string[]): Promise<Finished> =>
  runToEnd([...FROM_SOURCE, ...words], { env: daemon.env, timeoutMs: 60_000 });
const json = async <T>(daemon: Daemon, ...words: string[]): Promise<T> =>
  JSON.parse((await command(daemon, ...words, "--json")).stdout) as T;

describe("maintenance", () => {
  test("set on one node is known to the others, and is no problem of theirs while the host is away", async () => {
    const set = await command(a, "maintenance", "on", "b", "--for", "2h", "--why", "new disk");
    expect(set.code).toBe(0);
    expect(set.stdout).toContain("b is in maintenance until");
    await until("b to know of it", WAIT_MS_MAX, async () => {
      const { maintenances } = await json<MaintenanceListReport>(b, "maintenance", "list");
      return maintenances[0]?.name === "b" && maintenances[0].why === "new disk" ? true : undefined;
    });
    await mesh.perform("stop", "b");
    await until("a to see it gone", WAIT_MS_MAX, async () =>
      (await a.status()).nodes.some(({ name, verdict }) => name === "b" && verdict === "planned")
        ? true
        : undefined,
    );
    const { problems, nodes } = await a.status();
    expect(problems.join("\n")).not.toContain("b is");
    expect(nodes.find(({ name }) => name === "b")?.maintenance).toMatchObject({ why: "new disk" });
  });

  test("survives the daemon, and is ended on the node itself", async () => {
    await mesh.perform("revive", "b");
    await mesh.settled();
    expect((await b.status()).nodes.find(({ name }) => name === "b")?.maintenance).not.toBeNull();
    expect((await command(b, "maintenance", "off", "b")).stdout).toContain("no longer in maintenance");
    await until("a to know that it ended", WAIT_MS_MAX, async () =>
      (await a.status()).nodes.every(({ maintenance }) => maintenance === null) ? true : undefined,
    );
    const again = await command(a, "maintenance", "off", "b");
    expect(again).toMatchObject({ code: 0, stdout: "b was not in maintenance.\n" });
  });

  test("of an unknown node is refused with the known ones", async () => {
    const refused = await command(a, "maintenance", "on", "c");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("There are: a, b.");
  });
});

describe("silences", () => {
  test("made on one node are listed and removed on another", async () => {
    const { silence } = await json<SilenceAddReport>(a, "silence", "add", "node=b", "severity=warning");
    await until("b to know of it", WAIT_MS_MAX, async () =>
      (await b.status()).silences === 1 ? true : undefined,
    );
    expect((await json<SilenceListReport>(b, "silence", "list")).silences).toEqual([silence]);
    expect((await command(b, "silence", "remove", silence.id)).code).toBe(0);
    await until("a to know that it ended", WAIT_MS_MAX, async () =>
      (await a.status()).silences === 0 ? true : undefined,
    );
  });

  test("like maintenances, are events to whoever watches, on every node", async () => {
    const seen = (observer: string): string[] =>
      mesh.notices
        .filter((notice) => notice.observer === observer && notice.event.event === "mute")
        .map(({ event: { purpose, phase, about } }) => `${purpose} ${phase} ${about}`);
    for (const observer of ["a", "b"])
      await until(`${observer} to say that the silence is lifted`, WAIT_MS_MAX, async () =>
        seen(observer).includes("silence lifted node=b,severity=warning") ? true : undefined,
      );
    expect(seen("a")).toEqual([
      "maintenance begun b",
      "maintenance lifted b",
      "silence begun node=b,severity=warning",
      "silence lifted node=b,severity=warning",
    ]);
  });

  test("of what is no kind end with wrong usage, and the kinds there are", async () => {
    const refused = await command(a, "silence", "add", "kind=fire");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("link-problem");
  });
});

describe("a dead-man's heartbeat", () => {
  test("is pinged for real by a test, and every node knows by whom", async () => {
    const file = join(a.folder, "shared.yaml");
    const text = `channels: [{name: outside, type: deadman, url: "${mesh.receiver.url}beat"}]\npolicy: {nodes: {bb: {expected: sometimes}}}\n`;
    writeFileSync(file, text, { mode: 0o600 });
    expect((await command(a, "config", "apply", file)).code).toBe(0);
    await until("b to have it", WAIT_MS_MAX, async () =>
      (await json<NotifyListReport>(b, "notify", "list")).heartbeats.length === 1 ? true : undefined,
    );
    const tested = await json<{ results: unknown }>(b, "notify", "test", "outside");
    expect(tested.results).toMatchObject([{ channel: "outside", outcome: "delivered" }]);
    const ping = await mesh.delivery("the ping", WAIT_MS_MAX, ({ path }) => path === "/beat");
    expect(ping.body).toBe("b: 2 of 2 hosts alive");
    await until("a to know who pinged", WAIT_MS_MAX, async () => {
      const [heartbeat] = (await json<NotifyListReport>(a, "notify", "list")).heartbeats;
      return heartbeat?.last?.node === "b" && !heartbeat.silent ? true : undefined;
    });
    expect((await command(a, "notify", "list")).stdout).toMatch(/^outside +shared +60 s +beating +by b /m);
  });

  test("and hosts that are no members are looked at by doctor", async () => {
    const { findings } = await json<DoctorReport>(a, "doctor");
    expect(findings).toContainEqual(expect.objectContaining({ check: "heartbeat outside", level: "ok" }));
    expect(findings).toContainEqual({
      check: "policy.nodes",
      level: "warning",
      finding: "no member of this mesh is named bb",
      remedy: "Did you mean b? There are: a, b.",
    });
  });
});
