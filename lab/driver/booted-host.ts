/**
 * A whole host: Debian with systemd as its first process, booted by systemd-nspawn in a network namespace
 * of the lab. What it writes is a layer over the Debian root, which stays from boot to boot. Its mounts are in
 * a namespace and its processes in a cgroup of their own, so that nothing is left however this process ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boundToUs, cleanEnvironment, type Finished, runToEnd } from "./child.ts";
import { atEnd } from "./cleanup.ts";
import { until } from "./clock.ts";
import { MMDEBSTRAP } from "./debian-root.ts";

const COMMAND_MS_MAX = 60_000;
const BOOT_MS_MAX = 60_000;
/** systemd gives a service 90 s to end; then the host is off whatever it says. */
const OFF_MS_MAX = 100_000;
const LOG_CHARS_SHOWN = 4000;
/** systemd-nspawn(1), EXIT STATUS, with --keep-unit: the host rebooted. */
const EXIT_REBOOT = 133;
const INSIDE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Where the second version of cgroups is mounted, alone or beside the first. */
const CGROUPS = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((folder) =>
  existsSync(join(folder, "cgroup.procs")),
);
const BOOT = [
  'echo $$ >"$1/cgroup.procs"',
  'mount -t overlay overlay -o "lowerdir=$2,upperdir=$3/layer,workdir=$3/work" "$3/root"',
  "shift 3",
  'exec systemd-nspawn "$@"',
].join(" && ");

export interface HostPlan {
  readonly name: string;
  /** The Debian below what it writes. */
  readonly debian: string;
  /** Its network namespace, as `ip netns` lists it. */
  readonly namespace: string;
  /** Path inside to a file or folder outside, which can be read there and not written. */
  readonly shown: Readonly<Record<string, string>>;
}

/** Why no host can be booted here; undefined when one can. */
export function whyNoBoot(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  for (const [program, name] of [
    [MMDEBSTRAP, "mmdebstrap"],
    ["/usr/bin/systemd-nspawn", "systemd-container"],
  ] as const)
    if (!existsSync(program)) return `${program} is not installed (apt-get install ${name})`;
  return CGROUPS === undefined ? "cgroups of version 2 are not mounted" : undefined;
}

export class BootedHost {
  readonly #plan: HostPlan;
  readonly #folder: string;
  readonly #cgroup: string;
  readonly #remove: () => void;
  #child: ChildProcess | undefined;

  constructor(plan: HostPlan) {
    if (CGROUPS === undefined) throw new Error("cgroups of version 2 are not mounted");
    this.#plan = plan;
    this.#folder = mkdtempSync(join(tmpdir(), "balefire-host-"));
    for (const part of ["layer/etc", "work", "root"])
      mkdirSync(join(this.#folder, part), { recursive: true });
    writeFileSync(join(this.layer, "etc/hostname"), `${plan.name}\n`);
    this.#cgroup = join(CGROUPS, `bf-${process.pid}-${plan.name}`);
    mkdirSync(this.#cgroup, { recursive: true });
    this.#remove = atEnd(() => {
      if (existsSync(join(this.#cgroup, "cgroup.kill")))
        writeFileSync(join(this.#cgroup, "cgroup.kill"), "1");
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  /** What it writes, or has before its first boot: below here, as below its `/`. */
  get layer(): string {
    return join(this.#folder, "layer");
  }

  /** Boots it, and resolves with what systemd says of itself then: `running`, or `degraded`. */
  powerOn(): Promise<string> {
    this.#start();
    return this.booted();
  }

  #start(): void {
    const { name, debian, namespace, shown } = this.#plan;
    const log = openSync(this.#log, "a", 0o600);
    const [command = "", ...words] = boundToUs(["unshare", "--mount", "sh", "-c", BOOT, "boot"]);
    const child = spawn(
      command,
      [
        ...words,
        ...[this.#cgroup, debian, this.#folder],
        ...["--boot", "--quiet", `--directory=${this.#folder}/root`, `--machine=${name}`],
        // No systemd of this machine is asked for anything.
        ...["--register=no", "--keep-unit", "--settings=no", "--link-journal=no"],
        ...["--resolv-conf=off", "--timezone=off", `--network-namespace-path=/run/netns/${namespace}`],
        ...Object.entries(shown).map(([inside, outside]) => `--bind-ro=${outside}:${inside}`),
      ],
      { stdio: ["ignore", log, log], env: cleanEnvironment({ SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" }) },
    );
    closeSync(log);
    this.#child = child;
    // nspawn leaves the next boot to whoever started it.
    child.once("exit", (code) => {
      if (code === EXIT_REBOOT) this.#start();
    });
  }

  /** Resolves when it has booted, for the first time or again. */
  booted(): Promise<string> {
    return until(`${this.#plan.name} to boot`, BOOT_MS_MAX, async () => {
      if (this.#child?.exitCode !== null) throw new Error(`it ended while booting:\n${this.logTail()}`);
      if (this.leader === undefined) return undefined;
      const { stdout } = await this.run("systemctl", "is-system-running", "--wait");
      const state = stdout.trim();
      return ["running", "degraded"].includes(state) ? state : undefined;
    });
  }

  /** The number of its first process outside; undefined while there is none. */
  get leader(): number | undefined {
    const pid = this.#child?.pid;
    if (pid === undefined || this.#child?.exitCode !== null) return undefined;
    const children = readOr(`/proc/${pid}/task/${pid}/children`, "").split(" ").filter(Boolean);
    const first = children.find((each) => /^NSpid:.*\t1$/m.test(readOr(`/proc/${each}/status`, "")));
    return first === undefined ? undefined : Number(first);
  }

  /** Runs a command inside, as root. */
  run(...argv: string[]): Promise<Finished> {
    const { leader } = this;
    if (leader === undefined) throw new Error(`${this.#plan.name} is off`);
    return runToEnd(["nsenter", `--target=${leader}`, "--all", "--wdns=/", ...argv], {
      timeoutMs: COMMAND_MS_MAX,
      env: { PATH: INSIDE_PATH, HOME: "/root", LANG: "C.UTF-8", NO_COLOR: "1" },
    });
  }

  /** Resolves with nspawn's exit code when the host has switched itself off. */
  off(): Promise<number> {
    return until(`${this.#plan.name} to switch itself off`, OFF_MS_MAX, () => {
      const code = this.#child?.exitCode ?? undefined;
      return code === EXIT_REBOOT ? undefined : code;
    });
  }

  /** The end of what its console showed, for error messages. */
  logTail(): string {
    return readOr(this.#log, "").slice(-LOG_CHARS_SHOWN);
  }

  get #log(): string {
    return join(this.#folder, "console.log");
  }

  /** Ends it without asking, and removes all of it. */
  async close(): Promise<void> {
    this.#remove();
    await until(`${this.#plan.name} to end`, OFF_MS_MAX, () =>
      readOr(join(this.#cgroup, "cgroup.events"), "").includes("populated 1") ? undefined : true,
    );
    removeCgroup(this.#cgroup);
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}

/** Inner ones first. */
function removeCgroup(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroup(join(folder, entry.name));
  rmdirSync(folder);
}
