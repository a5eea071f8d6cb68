import { randomUUID } from "node:crypto";
import { checkNoFalseVerdicts, checkOneMessage, checkText, checkTitle } from "../checks.ts";
import type { Scene, Stage } from "../stage.ts";

const TELL_MS_MAX = 6_000;
const NOTE_MS_MAX = 20_000;
const RESOLVE_MS_MAX = 20_000;

export const restart: Scene = {
  name: "restart",
  summary:
    "a host restarts by itself, once faster than anybody is told and once after that: both times it is said",
  nodes: { usual: 3, min: 3 },
  policy: { flap: "off" },
  async play(stage) {
    await unnoticed(stage);
    await toldFirst(stage);
    checkNoFalseVerdicts(stage, [stage.victim]);
  },
};

/** The namespaces share a kernel: its host is another boot by name. */
async function boot(stage: Stage, name: string): Promise<void> {
  stage.note(`${name} has booted`);
  await stage.mesh.daemon(name).run({ BALEFIRE_BOOT_ID: randomUUID() });
}

async function unnoticed(stage: Stage): Promise<void> {
  const { victim } = stage;
  const goneMs = await stage.act("kill", victim);
  await boot(stage, victim);
  const told = await stage.awaitMessage("note", victim, goneMs, NOTE_MS_MAX);
  await stage.mesh.settled();
  await stage.quiet(2_000);
  checkOneMessage(stage, "note", [victim], goneMs);
  stage.check("it is a note of a restart", told.message.kind === "restarted", told.message.kind);
  checkTitle(stage, told, new RegExp(`^${victim} restarted by itself, away [\\d.]+ m?s$`));
  checkText(
    stage,
    told,
    "since when",
    new RegExp(`${victim} restarted without saying goodbye: silent from .* UTC to `),
  );
  const alarms = [...stage.messages("open", goneMs), ...stage.messages("resolved", goneMs)];
  stage.check(
    "no alarm, and no recovery",
    alarms.length === 0,
    alarms.map(({ message }) => message.title).join("; "),
  );
}

async function toldFirst(stage: Stage): Promise<void> {
  const { victim } = stage;
  const lostMs = await stage.act("power-loss", victim);
  await stage.awaitMessage("open", victim, lostMs, TELL_MS_MAX);
  await stage.quiet(1_000);
  const backMs = stage.nowMs;
  await stage.act("restore", victim);
  await boot(stage, victim);
  const over = await stage.awaitMessage("resolved", victim, backMs, RESOLVE_MS_MAX);
  await stage.mesh.settled();
  await stage.quiet(3_000);
  checkOneMessage(stage, "resolved", [victim], backMs);
  checkTitle(stage, over, `${victim} is back`);
  checkText(stage, over, "that it was restarted", new RegExp(`Restarted meanwhile: ${victim}\\.`));
  const notes = stage.messages("note", lostMs);
  stage.check("and no note says it again", notes.length === 0, `${notes.length}`);
}
