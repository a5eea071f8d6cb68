/** `balefire recovery …`: the code that opens the sealed root key. It is asked for, never an argument. */
import { resolve } from "node:path";
import type { Result } from "../kit/result.ts";
import type { CodeOffer, OfferTakenReport } from "../wire/root-reports.ts";
import { SLOW_CALL_TIMEOUT } from "./client.ts";
import { askForCode } from "./code-prompt.ts";
import { ask, type Context, present, refuse } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { showSpread } from "./node.ts";

export async function recoveryVerify(context: Context, file: string | undefined): Promise<ExitCode> {
  const code = await askForCode(context.screen);
  if (!code.ok) return refuse(context, code.error);
  const { stateDir, operations } = context;
  const verified = await operations.recoveryVerify({
    stateDir,
    code: code.value,
    ...(file === undefined ? {} : { recoveryFile: resolve(file) }),
  });
  return present(
    context,
    verified,
    ({ source, mesh, root, trusted }) => {
      const what = source === "roster" ? "the root key in this host's roster" : source;
      context.screen.line(`The code opens ${what}.`);
      context.screen.line(`It is root ${root} of mesh ${mesh}.`);
      if (trusted === false)
        context.screen.line(
          "This host's mesh does not trust that root: keep the newest file and code instead.",
        );
    },
    ({ trusted }) => (trusted === false ? EXIT.degraded : EXIT.ok),
  );
}

export async function recoveryRenew(context: Context): Promise<ExitCode> {
  const { screen } = context;
  screen.note("The root key stays, and is sealed under a new code in every host's roster.");
  const code = await askForCode(screen);
  if (!code.ok) return refuse(context, code.error);
  const offer = await ask(context, "recovery-renew", { code: code.value }, SLOW_CALL_TIMEOUT);
  return takeOffer(context, offer, (report) => {
    screen.line("The root key is sealed under the new code.");
    showSpread(context, report);
    if (report.file !== null) screen.line(`${report.file} is the same: keep a copy of it elsewhere.`);
    screen.note("Copies made before still open with the old code: only `balefire root rotate` voids those.");
  });
}

/** Shows the new code, and only then has it count. With `--json` it is the one document, as of `init`. */
export async function takeOffer(
  context: Context,
  offer: Result<CodeOffer>,
  show: (report: OfferTakenReport) => void | Promise<void>,
): Promise<ExitCode> {
  if (!offer.ok) return refuse(context, offer.error);
  const { ticket, recoveryCode, root } = offer.value;
  const { screen, json } = context;
  if (json) screen.json({ schema: 1, recoveryCode, root });
  else codeLines(context, recoveryCode).forEach(screen.line);
  const taken = await ask(context, "offer-take", { ticket }, SLOW_CALL_TIMEOUT);
  if (!taken.ok) return refuse(context, taken.error);
  if (!json) await show(taken.value);
  return EXIT.ok;
}

const codeLines = ({ screen }: Context, recoveryCode: string): string[] => [
  "New recovery code, shown only now:",
  "",
  `    ${screen.paint("bold", recoveryCode)}`,
  "",
  "Write it down, and keep it away from the hosts.",
  "",
];
