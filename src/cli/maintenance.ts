/** `balefire maintenance …`: a node that is being worked on; nobody is told of what happens to it meanwhile. */
import { type MuteOptions, parseMute } from "./arguments.ts";
import { ask, type Context, present, refuse } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { callingUser, muteCells, untilWords } from "./mute-words.ts";
import { table, wrapped } from "./table.ts";

export async function maintenanceOn(context: Context, node: string, given: MuteOptions): Promise<ExitCode> {
  const wish = parseMute(given);
  if (!wish.ok) return refuse(context, wish.error);
  const user = callingUser(context.env);
  const result = await ask(context, "maintenance-on", { node, user, ...wish.value });
  const { screen } = context;
  return present(context, result, ({ maintenance, renewed }) => {
    const { name } = maintenance;
    const until = untilWords(maintenance, `balefire maintenance off ${name}`, Date.now());
    const now = renewed ? "was in maintenance already; now it is" : "is in maintenance";
    const said = `${name} ${now} ${until}. Messages about ${name} are held back until then; what is still wrong then is told then.`;
    wrapped(said, screen.columns).forEach(screen.line);
  });
}

export async function maintenanceOff(context: Context, node: string): Promise<ExitCode> {
  const result = await ask(context, "maintenance-off", { node, user: callingUser(context.env) });
  const { screen } = context;
  return present(context, result, ({ name, ended }) => {
    screen.line(
      ended
        ? `${name} is no longer in maintenance: what is wrong with it now is told.`
        : `${name} was not in maintenance.`,
    );
  });
}

export async function maintenanceList(context: Context): Promise<ExitCode> {
  const result = await ask(context, "maintenance-list", {});
  const { screen } = context;
  return present(context, result, ({ maintenances }) => {
    const now = Date.now();
    const rows = maintenances.map((maintenance) => [maintenance.name, ...muteCells(maintenance, now)]);
    if (rows.length === 0) screen.line("No node is in maintenance.");
    else table(screen, ["NODE", "FOR ANOTHER", "BY", "WHY"], rows).forEach(screen.line);
  });
}
