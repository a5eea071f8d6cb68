/** Debian's own Alertmanager, on a port of the kernel's choice, alone and in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly status: { readonly state: string };
}

export interface Alertmanager {
  readonly url: string;
  active(): Promise<ActiveAlert[]>;
  close(): Promise<void>;
}

/** Tells `webhook` at once of what opens and what ends. */
const configFor = (webhook: string): string => `
route:
  receiver: webhook
  group_by: [incident]
  group_wait: 50ms
  group_interval: 100ms
  repeat_interval: 1h
receivers:
  - name: webhook
    webhook_configs:
      - url: ${webhook}
        send_resolved: true
`;

export async function startAlertmanager(webhook: string): Promise<Alertmanager> {
  const folder = await mkdtemp(join(tmpdir(), "balefire-alertmanager-"));
  const config = join(folder, "alertmanager.yml");
  await writeFile(config, configFor(webhook));
  const child = spawn(
    "prometheus-alertmanager",
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, "data")}`,
      "--web.listen-address=127.0.0.1:0",
      "--cluster.listen-address=",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const url = `http://${await listeningAddress(child)}`;
  return {
    url,
    active: async () => {
      const answer = await fetch(`${url}/api/v2/alerts?active=true`);
      return (await answer.json()) as ActiveAlert[];
    },
    close: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

/** Of Alertmanager or Prometheus, from its log: `msg="Listening on" address=127.0.0.1:38941`. */
export function listeningAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const { stderr } = child;
    if (stderr === null) throw new Error("its log is not read");
    const seen: string[] = [];
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`it ended: ${seen.slice(-5).join("\n")}`)));
    createInterface({ input: stderr }).on("line", (line) => {
      seen.push(line);
      const [, address] = /msg="Listening on" address=(\S+)/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
  });
}
