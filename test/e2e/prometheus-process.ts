/** Debian's own Prometheus, on a port of the kernel's choice, alone and in a folder of its own. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boundToUs, cleanEnvironment, ended } from "../../lab/driver/child.ts";
import { atEnd } from "../../lab/driver/cleanup.ts";
import { until } from "../../lab/driver/clock.ts";
import { listeningAddress } from "../contract/channels/alertmanager-process.ts";

const READY_MS_MAX = 20_000;

export interface Target {
  readonly health: "up" | "down" | "unknown";
  readonly lastError: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

export interface Prometheus {
  targets(): Promise<Target[]>;
  /** An instant query; a refused one rejects. */
  query(promql: string): Promise<Series[]>;
  /** What the scrapes said of the metrics: type, help and unit, by name. */
  metadata(): Promise<Readonly<Record<string, readonly { readonly type: string; readonly unit: string }[]>>>;
  close(): Promise<void>;
}

/** Scrapes `address` (`IP:PORT`) every second. */
export async function startPrometheus(address: string): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "balefire-prometheus-"));
  const removeFolder = atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, "prometheus.yml");
  const job = { job_name: "balefire", scrape_interval: "1s", static_configs: [{ targets: [address] }] };
  // JSON is YAML.
  writeFileSync(config, JSON.stringify({ scrape_configs: [job] }));
  const [command = "", ...args] = boundToUs([
    "prometheus",
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    "--web.listen-address=127.0.0.1:0",
  ]);
  const child = spawn(command, args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: cleanEnvironment(),
    cwd: folder,
  });
  const url = `http://${await listeningAddress(child)}`;
  await until("Prometheus to be ready", READY_MS_MAX, async () =>
    (await fetch(`${url}/-/ready`)).ok ? true : undefined,
  );
  const ask = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { status: string; data: T };
    if (answer.status !== "success") throw new Error(`Prometheus refused ${path}: ${JSON.stringify(answer)}`);
    return answer.data;
  };
  return {
    targets: async () => (await ask<{ activeTargets: Target[] }>("targets")).activeTargets,
    query: async (promql) =>
      (await ask<{ result: Series[] }>(`query?query=${encodeURIComponent(promql)}`)).result,
    metadata: () => ask("metadata"),
    close: async () => {
      child.kill("SIGKILL");
      await ended(child);
      removeFolder();
    },
  };
}
