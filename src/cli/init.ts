/** `balefire init`: makes a mesh with this host as its first node and keymaster. */
import { asUsage } from "./arguments.ts";
import { type Context, refuse } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { InitOutcome } from "./operations.ts";
import { harmless } from "./screen.ts";

export interface InitArguments {
  readonly name: string;
  readonly address: readonly string[];
}

export async function init(context: Context, given: InitArguments): Promise<ExitCode> {
  const { screen, json, stateDir } = context;
  const announce = (outcome: InitOutcome): void => {
    if (json) screen.json({ schema: 1, ...inOrder(outcome), name: given.name });
    else recoveryLines(context, outcome).forEach(screen.line);
  };
  const progress = (line: string): void => screen.note(harmless(line));
  const made = asUsage(
    await context.operations.init({
      stateDir,
      name: given.name,
      addresses: given.address,
      announce,
      progress,
    }),
  );
  if (!made.ok) return refuse(context, made.error);
  if (!json) outcomeLines(given.name, made.value).forEach(screen.line);
  return EXIT.ok;
}

const inOrder = ({ mesh, node, recoveryCode, recoveryFile }: InitOutcome): InitOutcome => ({
  mesh,
  node,
  recoveryCode,
  recoveryFile,
});

/** Printed before the mesh exists; see `InitOptions.announce`. */
const recoveryLines = ({ screen }: Context, { recoveryCode, recoveryFile }: InitOutcome): string[] => [
  "Recovery code, shown only now:",
  "",
  `    ${screen.paint("bold", recoveryCode)}`,
  "",
  "Write it down and keep it away from this host. It opens",
  `    ${recoveryFile}`,
  "which holds the mesh's root key: keep a copy of that file elsewhere, too.",
  "",
];

const outcomeLines = (name: string, { mesh, node }: InitOutcome): string[] => [
  `Made mesh ${mesh}.`,
  `This host is its first node and its keymaster: ${name} (${node}).`,
  "",
  "Next:",
  "    systemctl enable --now balefire    start it (by hand: balefire run)",
  "    balefire token create NODE         a token for each further host",
];
