/**
 * What the command line needs beyond the control socket: making or joining a
 * mesh, running the daemon, and the keymaster's tokens while no daemon runs.
 * main.ts provides them, loading each only when it is used.
 */
import type { Result } from "../kit/result.ts";
import type { SensorsReport } from "../wire/readings.ts";
import type { RecoveryFile } from "../wire/recovery-file.ts";
import type { RecoveryVerifyReport } from "../wire/root-reports.ts";
import type { TokenCreateReport, TokenListReport, TokenRevokeReport } from "../wire/rpc.ts";

export interface InitOptions {
  readonly stateDir: string;
  readonly name: string;
  /** `IP` or `IP:PORT`, as typed. */
  readonly addresses: readonly string[];
  /** Called before the mesh comes into being, so that nobody has a mesh whose recovery code was never seen. */
  readonly announce: (mesh: InitOutcome) => void;
  /** One line of progress for a person. */
  readonly progress: (line: string) => void;
}

export interface InitOutcome {
  readonly mesh: string;
  /** The first node's id. */
  readonly node: string;
  /** Opens the recovery file; printed once and stored nowhere. */
  readonly recoveryCode: string;
  /** Path of the file that holds the sealed root key. */
  readonly recoveryFile: string;
}

export interface JoinOptions {
  readonly stateDir: string;
  readonly token: string;
  /** A node to join through, instead of the addresses in the token. */
  readonly via?: string;
  readonly addresses: readonly string[];
  /** One line of progress for a person. */
  readonly progress: (line: string) => void;
}

export interface JoinOutcome {
  readonly mesh: string;
  readonly node: string;
  readonly name: string;
  readonly addresses: readonly string[];
  /** This host was that node before: nothing was done. */
  readonly already: boolean;
}

export interface RunOptions {
  readonly stateDir: string;
  readonly configPath: string;
  /** The person named the file, so it must exist; the default one may be absent. */
  readonly configRequired: boolean;
  readonly socketPath: string;
}

export interface SensorsOptions {
  /** Instead of `/sys`. */
  readonly sysfsRoot: string | undefined;
  /** `PATH`, where programs that know more are looked for. */
  readonly path: string;
}

export interface LmSensorsOptions {
  readonly sysfsRoot: string | undefined;
  /** Ask rotational disks too, which wakes those that sleep. */
  readonly wakeDisks: boolean;
}

export interface RecoveryVerifyOptions {
  readonly stateDir: string;
  /** Instead of what this host's roster holds. */
  readonly recoveryFile?: string;
  readonly code: string;
}

export interface Operations {
  init(options: InitOptions): Promise<Result<InitOutcome>>;
  join(options: JoinOptions): Promise<Result<JoinOutcome>>;
  /** Ends with the daemon; the process's exit code. */
  run(options: RunOptions): Promise<number>;
  /** Under the state lock: fails with `state-locked` while a daemon runs. */
  tokenCreateOffline(stateDir: string, name: string, expiresMs: number): Promise<Result<TokenCreateReport>>;
  tokenListOffline(stateDir: string): Promise<Result<TokenListReport>>;
  tokenRevokeOffline(stateDir: string, id: string): Promise<Result<TokenRevokeReport>>;
  /** Opens the sealed root key and forgets it; needs no daemon, and disturbs none. */
  recoveryVerify(options: RecoveryVerifyOptions): Promise<Result<RecoveryVerifyReport>>;
  /** Text and permission bits of a configuration file; undefined when there is none. Bounded, strictly UTF-8. */
  readConfigText(path: string): Promise<Result<{ readonly text: string; readonly mode: number } | undefined>>;
  /** Fails with `recovery-invalid` when there is none. */
  readRecoveryFile(path: string): Promise<Result<RecoveryFile>>;
  /** This host's sensors, or those of another sysfs tree. */
  sensors(options: SensorsOptions): Promise<SensorsReport>;
  /** The same as `sensors -j` of lm-sensors prints it. */
  sensorsAsLm(options: LmSensorsOptions): Promise<string>;
  version(): string;
}
