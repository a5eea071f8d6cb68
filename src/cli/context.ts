/** What every command is given, and the two ways it can end: a report or a failure. */
import type { Failure, Result } from "../kit/result.ts";
import type { Duration } from "../kit/time.ts";
import type { RpcMethod, RpcParams, RpcResults } from "../wire/rpc.ts";
import { CALL_TIMEOUT, call } from "./client.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import type { Operations } from "./operations.ts";
import { harmless, harmlessReport, type Screen } from "./screen.ts";

export interface Context {
  readonly operations: Operations;
  readonly screen: Screen;
  readonly env: NodeJS.ProcessEnv;
  readonly json: boolean;
  readonly stateDir: string;
  readonly configPath: string;
  /** The person named the configuration file, so it must exist. */
  readonly configRequired: boolean;
  readonly socketPath: string;
}

/** What a verb does; resolves to the exit code. */
export type Action = (context: Context) => Promise<number>;
/** Runs a verb with what the command line gives to all of them. */
export type Go = (action: Action) => Promise<void>;

/** Prints why; with `--json` on stdout, so that a program reads one stream. */
export function refuse(context: Pick<Context, "screen" | "json">, failure: Failure): ExitCode {
  const { screen } = context;
  if (context.json) {
    const { code, message, remedy } = failure;
    screen.json({ schema: 1, error: { code, message, remedy: remedy ?? null } });
  } else {
    screen.note(`balefire: ${harmless(failure.message)}`);
    if (failure.remedy !== undefined) screen.note(`  fix: ${harmless(failure.remedy)}`);
  }
  return exitCodeOf(failure.code);
}

/** Prints a result: as it is with `--json`, else as `show` puts it, freed of what could play with the terminal. */
export function present<T extends object>(
  context: Context,
  result: Result<T>,
  show: (report: T) => void,
  exit: (report: T) => ExitCode = () => EXIT.ok,
): ExitCode {
  if (!result.ok) return refuse(context, result.error);
  if (context.json) context.screen.json(result.value);
  else show(harmlessReport(result.value));
  return exit(result.value);
}

/** Asks the daemon. */
export const ask = <M extends Exclude<RpcMethod, "watch">>(
  context: Context,
  method: M,
  params: RpcParams<M>,
  timeout: Duration = CALL_TIMEOUT,
): Promise<Result<RpcResults[M]>> => call(context.socketPath, method, params, timeout);
