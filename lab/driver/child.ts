import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Output kept of one command, so that a run-away child cannot fill our memory. */
const OUTPUT_CHARS_MAX = 1_000_000;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * What a daemon under test inherits: no NODE_OPTIONS, no CI flags, no configuration of the machine it runs on.
 * What others of its run have compiled is for all of them.
 */
export const cleanEnvironment = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: process.env.HOME ?? "/",
  LANG: "C.UTF-8",
  NO_COLOR: "1",
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
  ...extra,
});

const SETPRIV = "/usr/bin/setpriv";

/** A child that the kernel kills when this process dies in whatever way; where util-linux has setpriv. */
export const boundToUs = (argv: readonly string[]): readonly string[] =>
  existsSync(SETPRIV) ? [SETPRIV, "--pdeathsig", "KILL", ...argv] : argv;

const split = (argv: readonly string[]): readonly [string, string[]] => [argv[0] ?? "", argv.slice(1)];

/** Runs a command to its end; never rejects for its exit code, but does when it takes longer than `timeoutMs`. */
export function runToEnd(
  argv: readonly string[],
  options: {
    readonly env?: NodeJS.ProcessEnv;
    readonly timeoutMs: number;
    readonly cwd?: string;
    /** Its standard input; nothing comes from there without. */
    readonly input?: string;
  },
): Promise<Finished> {
  const [command, args] = split(argv);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: options.env ?? cleanEnvironment(),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    let stdout = "";
    let stderr = "";
    // Who reads nothing may be gone before it is written.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < OUTPUT_CHARS_MAX) stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < OUTPUT_CHARS_MAX) stderr += text;
    });
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(
        new Error(`took longer than ${options.timeoutMs} ms: ${describe(argv)}\n${stderr.slice(-2000)}`),
      );
    }, options.timeoutMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** As `runToEnd`, and throws what the command said when it did not succeed. */
export async function runOrThrow(
  argv: readonly string[],
  options: Parameters<typeof runToEnd>[1],
): Promise<string> {
  const finished = await runToEnd(argv, options);
  if (finished.code === 0) return finished.stdout;
  const said = `${finished.stderr}${finished.stdout}`.trim().slice(-2000);
  throw new Error(`exit code ${finished.code}: ${describe(argv)}\n${said}`);
}

/** For `ip` and `nft`, which answer in milliseconds and whose order matters. */
export function runNow(argv: readonly string[], input?: string): string {
  const [command, args] = split(argv);
  const done = spawnSync(command, args, {
    encoding: "utf8",
    timeout: 10_000,
    ...(input === undefined ? {} : { input }),
  });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0)
    throw new Error(`exit code ${done.status}: ${argv.join(" ")}\n${done.stderr.trim()}`);
  return done.stdout;
}

/** A join token carries a secret: commands are named in errors by their first words only. */
const describe = (argv: readonly string[]): string =>
  argv
    .slice(0, 12)
    .map((word) => (word.length > 60 ? "…" : word))
    .join(" ");

/** Resolves when the child has ended, at once if it has already. */
export const ended = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", () => resolve()));
