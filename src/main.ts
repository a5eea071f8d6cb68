/**
 * Where a process begins. The command line needs little; what makes meshes and
 * runs the daemon is loaded only by the verbs that do so.
 */
import { readFileSync } from "node:fs";
import type { Operations } from "./cli/operations.ts";
import { runCommandLine } from "./cli/program.ts";
import type { Keymaster } from "./daemon/keymaster.ts";
import { ok, type Result } from "./kit/result.ts";
import { tokenCreateReport, tokenListReport, tokenRevokeReport } from "./wire/token-reports.ts";

async function offline<T>(
  stateDir: string,
  work: (keymaster: Keymaster) => Promise<Result<T>>,
): Promise<Result<T>> {
  const { withOfflineKeymaster } = await import("./daemon/identity.ts");
  return withOfflineKeymaster(stateDir, work);
}

function version(): string {
  // One level up both from src/main.ts and from dist/balefire.js.
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** A thread waits inside a driver, and would hold the process at its end. */
let hanging = false;
function left<T>(once: { readonly value: T; readonly hanging: boolean }): T {
  hanging ||= once.hanging;
  return once.value;
}

const operations: Operations = {
  init: async (options) => (await import("./daemon/init.ts")).initMesh(options),
  join: async (options) => (await import("./daemon/join.ts")).joinMesh(options),
  run: async (options) => {
    const { runDaemon } = await import("./daemon/run.ts");
    return left(await runDaemon({ ...options, version: version() }));
  },
  tokenCreateOffline: (stateDir, name, expiresMs) =>
    offline(stateDir, async (keymaster) => {
      const created = await keymaster.createToken(name, expiresMs);
      return created.ok ? ok(tokenCreateReport(created.value)) : created;
    }),
  tokenListOffline: (stateDir) =>
    offline(stateDir, async (keymaster) => ok(tokenListReport(keymaster.listTokens()))),
  tokenRevokeOffline: (stateDir, id) =>
    offline(stateDir, async (keymaster) => {
      const revoked = await keymaster.revokeToken(id);
      return revoked.ok ? ok(tokenRevokeReport(revoked.value)) : revoked;
    }),
  recoveryVerify: async (options) => (await import("./daemon/recovery-verify.ts")).verifyRecovery(options),
  readConfigText: async (path) =>
    (await import("./adapters/config-file/config-text.ts")).readConfigText(path),
  readRecoveryFile: async (path) => (await import("./daemon/recovery-verify.ts")).readRecoveryFile(path),
  sensors: async (options) => {
    const { senseOnce } = await import("./daemon/sense-once.ts");
    return left(await senseOnce(options));
  },
  sensorsAsLm: async (options) => {
    const { senseAsLm } = await import("./daemon/sense-once.ts");
    return left(await senseAsLm(options));
  },
  version,
};

const interrupted = new AbortController();
const args = process.argv.slice(2);
// `run` has its own way to stop; a watch ends well when the person ends it.
if (args.includes("--watch")) process.once("SIGINT", () => interrupted.abort());
// The reader of a pipe has seen enough (`balefire incidents | head`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

const code = await runCommandLine({
  args,
  operations,
  out: process.stdout,
  err: process.stderr,
  env: process.env,
  signal: interrupted.signal,
});
process.exitCode = code;
if (hanging) (await import("./adapters/sensors/leave.ts")).leaveNow(code);
