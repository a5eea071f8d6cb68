/** Real daemons, and the readers of metrics that people have: promtool, Prometheus, an uptime checker. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { until } from "../../lab/driver/clock.ts";
import type { Daemon } from "../../lab/driver/daemon.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";
import type { HealthReport } from "../../src/wire/health.ts";
import { METRICS } from "../../src/wire/metrics/definitions.ts";
import { buildTree } from "../fixtures/sysfs/tree.ts";
import { startPrometheus } from "./prometheus-process.ts";
import { checkMetrics, checkRules } from "./promtool.ts";

const PORT = 18_354;
const WAIT_MS_MAX = 30_000;
/** A message of a name that has everything to be escaped. */
const FAN_NAME = 'CPU "big" \\ fan';

const folder = mkdtempSync(join(tmpdir(), "balefire-metrics-"));
const MACHINE = {
  chips: [
    {
      name: "coretemp",
      device: "platform/coretemp.0",
      bus: "platform",
      channels: { temp1: { input: 45500, label: "Package id 0", max: 80000, crit: 100000 } },
    },
    {
      name: "nct6798",
      device: "platform/nct6798.656",
      bus: "platform",
      channels: {
        fan1: { input: 1234, label: FAN_NAME },
        in0: { input: 1350, label: "Vcore" },
        power1: { input: 12_500_000 },
        curr1: { input: 2000 },
        humidity1: { input: 40_000 },
        temp2: { input: 30000, fault: 1 },
      },
    },
  ],
} as const;

let mesh: Mesh;
let a: Daemon;
let url: string;
beforeAll(async () => {
  buildTree(folder, MACHINE);
  mesh = await Mesh.form({
    names: ["a", "b"],
    network: loopbackNetwork(),
    balefire: FROM_SOURCE,
    port: PORT,
    configOf: (name) => ({
      http: { listen: name === "a" ? "127.0.0.1:0" : "off" },
      sensors: { sysfsRoot: folder, every: "500ms" },
      history: "off",
    }),
  });
  a = mesh.daemon("a");
  url = await addressOf(a);
});
afterAll(async () => {
  await mesh.close();
  rmSync(folder, { recursive: true, force: true });
});

/** As a person would learn it. */
async function addressOf(daemon: Daemon): Promise<string> {
  const { findings } = await daemon.control.call("doctor", {});
  const { finding, level } = findings.find(({ check }) => check === "HTTP port") ?? {};
  expect(level).toBe("ok");
  return /http:\/\/\S+/.exec(finding ?? "")?.[0] ?? "";
}
const page = async (path: string, accept = "text/plain"): Promise<string> =>
  (await fetch(`${url}${path}`, { headers: { accept } })).text();
const health = async (): Promise<{ readonly code: number; readonly report: HealthReport }> => {
  const answer = await fetch(`${url}/health`);
  return { code: answer.status, report: (await answer.json()) as HealthReport };
};

test("promtool finds nothing wrong with what a daemon shows", async () => {
  await until("the readings of both", WAIT_MS_MAX, async () => {
    const text = await page("/metrics");
    return ["a", "b"].every((node) => text.includes(`balefire_fan_rpm{node="${node}"`)) ? text : undefined;
  });
  expect(await checkMetrics(await page("/metrics"))).toEqual({ code: 0, said: "" });
});

test("the rules that the document proposes are rules, of metrics that there are", async () => {
  const text = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
  const [, rules = ""] = /```yaml\n(groups:[\s\S]+?)```/.exec(text) ?? [];
  const file = join(folder, "rules.yml");
  writeFileSync(file, rules);
  expect(await checkRules(file)).toMatchObject({ code: 0, said: expect.stringContaining("3 rules found") });
  for (const [name] of rules.matchAll(/balefire_\w+/g)) expect(Object.keys(METRICS)).toContain(name);
});

test("every metric that is told of is known, and both formats tell of the same series", async () => {
  const namesIn = (text: string): string[] =>
    [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = ""]) => name);
  const open = namesIn(await page("/metrics", "application/openmetrics-text;version=1.0.0"));
  const known: readonly string[] = Object.keys(METRICS);
  expect(open.filter((name) => !known.includes(name))).toEqual([]);
  expect(namesIn(await page("/metrics"))).toHaveLength(open.length);
});

test("Debian's Prometheus scrapes a daemon as OpenMetrics, and answers queries", async () => {
  const prometheus = await startPrometheus(url.replace("http://", ""));
  try {
    const target = await until("a scrape", WAIT_MS_MAX, async () =>
      (await prometheus.targets()).find(({ health }) => health !== "unknown"),
    );
    expect(target).toMatchObject({ health: "up", lastError: "" });
    const valuesOf = async (promql: string): Promise<string[]> =>
      (await prometheus.query(promql)).map(({ value }) => value[1]);
    expect(await valuesOf('balefire_node_up{node="b"}')).toEqual(["1"]);
    expect(await valuesOf('balefire_node_verdict{node="b"} == 1')).toEqual(["1"]);
    expect((await prometheus.query('balefire_node_verdict{node="b"} == 1'))[0]?.metric.verdict).toBe("alive");
    expect(await valuesOf('balefire_temperature_celsius{kind="cpu-package"}')).toEqual(["45.5", "45.5"]);
    expect(await valuesOf('balefire_humidity_ratio{node="b"}')).toEqual(["0.4"]);
    expect(await valuesOf('count by (node) (balefire_sensor_validity{validity="fault"})')).toEqual([
      "1",
      "1",
    ]);
    const fans = (await prometheus.query("balefire_fan_rpm")).map(({ metric }) => metric.name);
    expect(fans).toEqual([expect.stringContaining(FAN_NAME), expect.stringContaining(FAN_NAME)]);
    await until("five beats a second", WAIT_MS_MAX, async () => {
      const [rate] = await valuesOf('rate(balefire_beats_received_total{node="b"}[10s])');
      return Math.abs(Number(rate) - 5) < 1.5 ? true : undefined;
    });
    expect(await valuesOf("histogram_quantile(1, balefire_event_loop_lag_seconds_bucket) > 0")).toHaveLength(
      1,
    );
    // Only OpenMetrics knows units: this is the format that was read.
    const { balefire_temperature_celsius: temperature } = await prometheus.metadata();
    expect(temperature?.[0]).toMatchObject({ type: "gauge", unit: "celsius" });
  } finally {
    await prometheus.close();
  }
});

test("whoever reads every node may ask for its own sensors only, or for none", async () => {
  const nodesIn = (text: string): string[] =>
    [...text.matchAll(/^balefire_fan_rpm\{node="(\w)"/gm)].map(([, node = ""]) => node);
  expect(nodesIn(await page("/metrics"))).toEqual(["a", "b"]);
  expect(nodesIn(await page("/metrics?readings=own"))).toEqual(["a"]);
  expect(nodesIn(await page("/metrics?readings=none"))).toEqual([]);
});

test("health tells of the mesh, and a death makes it 503; no secret is on either page", async () => {
  const before = await health();
  expect(before.code).toBe(200);
  expect(before.report).toMatchObject({
    schema: 1,
    status: "unproven",
    node: "a",
    nodes: { total: 2, alive: 2 },
  });
  expect(Date.parse(before.report.lastBeatSeen ?? "")).toBeGreaterThan(Date.now() - 10_000);
  expect(Date.parse(before.report.lastReading ?? "")).toBeGreaterThan(Date.now() - 10_000);
  expect(before.report.lastDelivery).toBeNull();
  await a.cli("notify", "test", "--json");
  await expect
    .poll(async () => (await health()).report)
    .toMatchObject({
      status: "ok",
      problems: [],
      lastDelivery: expect.any(String),
    });
  await mesh.perform("kill", "b");
  const after = await until("b to be missed", WAIT_MS_MAX, async () => {
    const seen = await health();
    return seen.report.openIncidents > 0 && seen.code === 503 ? seen : undefined;
  });
  expect(after.report).toMatchObject({ status: "degraded", nodes: { total: 2, alive: 1 } });
  const text = await page("/metrics");
  expect(text).toMatch(/^balefire_node_up\{node="b"\} 0$/m);
  expect(text).toMatch(/^balefire_deliveries_total\{channel="phone",outcome="delivered"\} [1-9]/m);
  expect(`${text}${JSON.stringify(after.report)}`).not.toContain(mesh.receiver.url);
  await mesh.perform("revive", "b");
});

test("another address takes effect with a reload", async () => {
  const config = join(a.folder, "config.yaml");
  writeFileSync(config, readFileSync(config, "utf8").replace("127.0.0.1:0", "127.0.0.9:0"));
  process.kill(a.pid, "SIGHUP");
  const moved = await until("a to move", WAIT_MS_MAX, async () => {
    const seen = await addressOf(a).catch(() => "");
    return seen.startsWith("http://127.0.0.9:") ? seen : undefined;
  });
  await expect(fetch(`${url}/health`)).rejects.toThrow("fetch failed");
  // The name that the new address is asked by is one that the port goes by.
  expect(await (await fetch(`${moved}/health`)).json()).toMatchObject({ node: "a" });
});

test("a port that another has keeps nobody from watching: the status says so until it is free", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const taken = other.address();
  if (taken === null || typeof taken === "string") throw new Error("no port");
  const b = mesh.daemon("b");
  await b.stop();
  await b.run({ BALEFIRE_HTTP_LISTEN: `127.0.0.1:${taken.port}` });
  const { problems, health: state } = await b.status();
  expect(state).toBe("degraded");
  expect(problems).toContainEqual(`no metrics: 127.0.0.1:${taken.port} is in use by another process`);
  expect(b.logTail()).toContain("no metrics and health");
  await until("b to watch all the same", WAIT_MS_MAX, async () =>
    (await b.status()).nodes.every(({ verdict }) => verdict === "alive") ? true : undefined,
  );
  await new Promise((resolve) => other.close(resolve));
  await until("b to have its port", WAIT_MS_MAX, async () =>
    (await b.status()).problems.some((problem) => problem.startsWith("no metrics")) ? undefined : true,
  );
  expect(await addressOf(b)).toBe(`http://127.0.0.1:${taken.port}`);
});
