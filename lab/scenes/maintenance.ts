import { checkNoMessages, checkOneMessage, checkText, checkTitle, checkVerdict } from "../checks.ts";
import { until } from "../driver/clock.ts";
import type { Scene, Stage } from "../stage.ts";

const VERDICT_MS_MAX = 5_000;
const TELL_MS_MAX = 10_000;
const RESOLVE_MS_MAX = 20_000;
const INBOX_MS_MAX = 5_000;
const PLANNED_MS = 4_000;
/** The shortest that can be announced. */
const ANNOUNCED_MS = 60_000;

export const maintenance: Scene = {
  name: "maintenance",
  summary:
    "what is announced is not told, what outlasts its announcement is; so is a planned stop without return",
  nodes: { usual: 3, min: 3 },
  policy: { planned: { grace: `${PLANNED_MS / 1000}s` }, flap: "off" },
  async play(stage) {
    await announced(stage);
    await liftedWhileAway(stage);
    if (!stage.short) await endsWhileAway(stage);
    await stopsForGood(stage);
  },
};

/** On another node than the one it is about. */
async function announce(stage: Stage, ...words: string[]): Promise<void> {
  const [, ...rest] = words;
  stage.note(`balefire maintenance ${words.join(" ")}`);
  await stage.mesh.daemon(stage.others(stage.victim)[0] ?? "").cli("maintenance", words[0] ?? "", ...rest);
}

async function announced(stage: Stage): Promise<void> {
  const { victim } = stage;
  const beganMs = stage.nowMs;
  await announce(stage, "on", victim, "--for", "1h", "--why", "new fans");
  const lostMs = await stage.act("power-loss", victim);
  const witness = stage.others(victim).at(-1) ?? "";
  await stage.awaitVerdict(witness, victim, "host-down", lostMs, VERDICT_MS_MAX);
  await stage.quiet(stage.short ? 1_000 : 20_000);
  const found = await until("the inbox to hold it", INBOX_MS_MAX, async () => {
    const { messages } = await stage.mesh.daemon(witness).control.call("inbox", {});
    return messages.find(({ title }) => title === `${victim} is down`);
  });
  const reason = /nothing is told on any channel until .* in maintenance by .*: new fans\./;
  stage.check("the inbox says what nobody was told, and why", reason.test(found.text), found.text);
  await stage.act("revive", victim);
  await stage.mesh.settled();
  await announce(stage, "off", victim);
  await stage.quiet(2_000);
  checkNoMessages(stage, beganMs, "about an announced absence, its end, or the end of the maintenance");
}

async function liftedWhileAway(stage: Stage): Promise<void> {
  const { victim } = stage;
  const beganMs = stage.nowMs;
  await announce(stage, "on", victim);
  await stage.act("power-loss", victim);
  await stage.quiet(2_500);
  checkNoMessages(stage, beganMs, "while it lasts");
  const liftedMs = stage.nowMs;
  await announce(stage, "off", victim);
  await toldThenBack(stage, liftedMs, "down");
}

async function endsWhileAway(stage: Stage): Promise<void> {
  const { victim } = stage;
  const beganMs = stage.nowMs;
  await announce(stage, "on", victim, "--for", `${ANNOUNCED_MS / 1000}s`);
  await stage.act("power-loss", victim);
  await stage.quiet(beganMs + ANNOUNCED_MS - 2_000 - stage.nowMs);
  checkNoMessages(stage, beganMs, "within the announced time");
  await toldThenBack(stage, beganMs, "down");
}

async function stopsForGood(stage: Stage): Promise<void> {
  const { victim } = stage;
  const stoppedMs = await stage.act("stop", victim);
  const told = await toldThenBack(stage, stoppedMs, "missing");
  const afterMs = Math.round(told.atMs - stoppedMs);
  stage.check(`told after the ${PLANNED_MS} ms a stop may last`, afterMs >= PLANNED_MS, `${afterMs} ms`);
  checkVerdict(stage, told, "missing", "missing");
  checkText(stage, told, "why", /stopped on purpose and has not come back/);
}

async function toldThenBack(stage: Stage, sinceMs: number, word: string) {
  const { victim } = stage;
  const told = await stage.awaitMessage("open", victim, sinceMs, ANNOUNCED_MS + TELL_MS_MAX);
  checkTitle(stage, told, `${victim} is ${word}`);
  const revivedMs = await stage.act("revive", victim);
  await stage.awaitMessage("resolved", victim, revivedMs, RESOLVE_MS_MAX);
  await stage.mesh.settled();
  await stage.quiet(2_000);
  checkOneMessage(stage, "open", [victim], sinceMs);
  checkOneMessage(stage, "resolved", [victim], revivedMs);
  return told;
}
