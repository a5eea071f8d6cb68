/** `balefire notify test` and `notify list`: do the channels reach a person? */

import { formatDuration, ms } from "../kit/time.ts";
import { SLOW_CALL_TIMEOUT } from "./client.ts";
import { ask, type Context, present } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Style } from "./screen.ts";
import { table, wrapped } from "./table.ts";
import { ago } from "./words.ts";

const OUTCOME_STYLES: Readonly<Record<string, Style>> = {
  delivered: "green",
  temporary: "yellow",
  permanent: "red",
};
const OUTCOME_WORDS: Readonly<Record<string, string>> = {
  delivered: "delivered",
  temporary: "failed, may work later",
  permanent: "failed for good",
};

/** Fails when any channel did. */
export async function notifyTest(context: Context, channel: string | undefined): Promise<ExitCode> {
  const params = channel === undefined ? {} : { channel };
  const result = await ask(context, "notify-test", params, SLOW_CALL_TIMEOUT);
  const { screen } = context;
  return present(
    context,
    result,
    ({ results }) => {
      if (results.length === 0) screen.line("There is no channel to test. Add one under `channels:`.");
      for (const { channel: name, outcome, detail } of results) {
        const style = OUTCOME_STYLES[outcome] ?? "yellow";
        screen.line(
          `${screen.paint("bold", name)}: ${screen.paint(style, OUTCOME_WORDS[outcome] ?? outcome)}`,
        );
        wrapped(detail, screen.columns, "  ").forEach(screen.line);
      }
    },
    ({ results }) => (results.every(({ outcome }) => outcome === "delivered") ? EXIT.ok : EXIT.failed),
  );
}

export async function notifyList(context: Context): Promise<ExitCode> {
  const result = await ask(context, "notify-list", {});
  const { screen } = context;
  return present(context, result, ({ channels, heartbeats }) => {
    const now = Date.now();
    const rows = channels.map(({ name, type, origin, proven, deliveries }) => {
      const last = [...deliveries].sort((a, b) => b.at.localeCompare(a.at))[0];
      return [
        name,
        type,
        origin,
        proven ? { text: "proven", style: "green" as const } : { text: "unproven", style: "yellow" as const },
        last === undefined
          ? "never tried"
          : `${last.outcome} by ${last.node} ${ago(last.at, now)} ago: ${last.detail}`,
      ];
    });
    if (rows.length === 0) screen.line("No channels. Add one under `channels:` in the configuration.");
    else table(screen, ["CHANNEL", "TYPE", "FROM", "STATE", "LAST DELIVERY"], rows).forEach(screen.line);
    if (heartbeats.length === 0) return;
    const beating = heartbeats.map(({ name, origin, everyMs, silent, last }) => [
      name,
      origin,
      formatDuration(ms(everyMs)),
      silent ? { text: "silent", style: "red" as const } : { text: "beating", style: "green" as const },
      last === null ? "never" : `by ${last.node} ${ago(last.at, now)} ago: ${last.detail}`,
    ]);
    screen.line();
    table(screen, ["HEARTBEAT", "FROM", "EVERY", "STATE", "LAST PING"], beating).forEach(screen.line);
  });
}
