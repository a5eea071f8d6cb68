/** Two hosts on one cable, each a network namespace: for tests of what only a real network shows. */
import { spawnSync } from "node:child_process";
import { runNow } from "../../lab/driver/child.ts";

export { whyNoNamespaces } from "../../lab/driver/namespaces.ts";

export const NEAR = { ip: "10.99.0.1", device: "near0" } as const;
export const FAR = { ip: "10.99.0.2", device: "far0" } as const;

export interface TwoHosts {
  readonly near: string;
  readonly far: string;
  /** Runs an `ip` command in one of them. */
  ip(host: string, ...words: string[]): string;
  /** Loads nftables rules for what arrives at the far host. */
  filter(rule: string): void;
  /** Runs TypeScript in the near host; its standard output. */
  run(script: string): string;
  close(): void;
}

const RUN_MS_MAX = 10_000;

let count = 0;

export function twoHosts(): TwoHosts {
  count += 1;
  const prefix = `bf-${process.pid}-pair${count}`;
  const near = `${prefix}-near`;
  const far = `${prefix}-far`;
  const ip = (host: string, ...words: string[]): string => runNow(["ip", "-n", host, ...words]);
  for (const host of [near, far]) {
    runNow(["ip", "netns", "add", host]);
    ip(host, "link", "set", "lo", "up");
  }
  ip(near, "link", "add", NEAR.device, "type", "veth", "peer", "name", FAR.device, "netns", far);
  ip(near, "address", "add", `${NEAR.ip}/24`, "dev", NEAR.device);
  ip(far, "address", "add", `${FAR.ip}/24`, "dev", FAR.device);
  ip(near, "link", "set", NEAR.device, "up");
  ip(far, "link", "set", FAR.device, "up");
  return {
    near,
    far,
    ip,
    filter: (rule) => {
      const chain = `table inet test {\nchain arriving {\ntype filter hook input priority 0;\n${rule}\n}\n}\n`;
      runNow(["ip", "netns", "exec", far, "nft", "-f", "-"], chain);
    },
    run: (script) => {
      const argv = ["netns", "exec", near, process.execPath, "--input-type=module-typescript", "-e", script];
      const ended = spawnSync("ip", argv, { encoding: "utf8", timeout: RUN_MS_MAX });
      if (ended.status !== 0) throw new Error(`it failed or took too long: ${ended.stderr}`);
      return ended.stdout.trim();
    },
    close: () => {
      for (const host of [near, far]) runNow(["ip", "netns", "del", host]);
    },
  };
}
