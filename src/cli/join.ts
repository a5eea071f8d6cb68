/** `balefire join`: makes this host a node of an existing mesh. */
import { text } from "node:stream/consumers";
import { failure, ok, type Result } from "../kit/result.ts";
import { asUsage } from "./arguments.ts";
import { type Context, present, refuse } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { harmless } from "./screen.ts";

export interface JoinArguments {
  readonly token: string;
  readonly via: string | undefined;
  readonly address: readonly string[];
}

export async function join(context: Context, given: JoinArguments): Promise<ExitCode> {
  const { screen, stateDir, operations } = context;
  const token = await readToken(given.token);
  if (!token.ok) return refuse(context, token.error);
  const joined = asUsage(
    await operations.join({
      stateDir,
      token: token.value,
      ...(given.via === undefined ? {} : { via: given.via }),
      addresses: given.address,
      progress: (line) => screen.note(harmless(line)),
    }),
  );
  if (!joined.ok) return refuse(context, joined.error);
  const { mesh, node, name, addresses, already } = joined.value;
  return present(context, ok({ schema: 1, mesh, node, name, addresses, already }), () => {
    [
      `${already ? "Nothing to do: this host is in" : "Joined"} mesh ${mesh} as ${name} (${node}).`,
      "",
      "Next:",
      "    systemctl enable --now balefire    start it (by hand: balefire run)",
    ].forEach(screen.line);
  });
}

/** `-` reads the token from standard input, where other users of the host cannot see it. */
async function readToken(given: string): Promise<Result<string>> {
  const token = given === "-" ? (await text(process.stdin)).trim() : given.trim();
  if (token !== "") return ok(token);
  return failure("usage", "there is no token", "Give the line that `balefire token create` printed.");
}
