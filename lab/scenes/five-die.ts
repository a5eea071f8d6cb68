import type { Notification } from "../../src/core/notification.ts";
import { checkNoFalseVerdicts, checkOneMessage, checkTitle, listed } from "../checks.ts";
import { subjectNames } from "../driver/message.ts";
import type { Scene, Stage } from "../stage.ts";

const DEAD = 5;
/** Between the first loss and the last; each takes the kernel up to 0.1 s, in which the next has to wait. */
const AT_ONCE_MS = 100;
const SLOWLY_MS = 9_000;
const SLOW_MESSAGES_MAX = 3;
const TELL_MS_MAX = 8_000;
const RESOLVE_MS_MAX = 40_000;

export const fiveDie: Scene = {
  name: "five-die",
  summary: "of ten hosts five lose power within 300 ms, then within ten seconds: one message, then few",
  nodes: { usual: 10, min: 8 },
  alone: true,
  policy: { flap: "off" },
  async play(stage) {
    const dead = stage.names.slice(-DEAD);
    const lostMs = await losePower(stage, dead, AT_ONCE_MS);
    const told = await stage.awaitMessage("open", dead.at(-1) ?? "", lostMs, TELL_MS_MAX);
    stage.note(`told ${Math.round(told.atMs - lostMs)} ms after the first loss`);
    await stage.quiet(stage.short ? 3_000 : 12_000);
    checkOneMessage(stage, "open", dead, lostMs);
    checkTitle(stage, told, `${listed([...dead].sort())} ${said(told.message)}`);
    if (stage.short) return;
    await recover(stage, dead);

    const againMs = await losePower(stage, dead, SLOWLY_MS);
    for (const name of dead) await stage.awaitMessage("open", name, againMs, TELL_MS_MAX);
    await stage.quiet(8_000);
    const messages = stage.messages("open", againMs);
    const named = messages.flatMap(({ message }) => subjectNames(message)).sort();
    const titles = messages.map(({ message }) => `"${message.title}"`).join(", ");
    stage.check(`at most ${SLOW_MESSAGES_MAX} messages`, messages.length <= SLOW_MESSAGES_MAX, titles);
    stage.check("which name each of them once", named.join() === [...dead].sort().join(), titles);
    await recover(stage, dead);
    checkNoFalseVerdicts(stage, dead, true);
  },
};

/** Half of the mesh is no majority: how many were still there at each verdict makes the difference. */
function said({ subjects, viewpoint }: Notification): string {
  const verdicts = new Set(subjects.map(({ verdict }) => verdict));
  if (verdicts.size > 1) return "are down or unreachable";
  return verdicts.has("host-down") ? "are down" : `unreachable from ${viewpoint.node}`;
}

/** One after the other, evenly over this time; gives when it began. */
async function losePower(stage: Stage, dead: readonly string[], withinMs: number): Promise<number> {
  const beganMs = stage.nowMs;
  const losses = dead.map(async (name, index) => {
    await stage.quiet((index * withinMs) / (dead.length - 1));
    await stage.act("power-loss", name);
  });
  await Promise.all(losses);
  return beganMs;
}

async function recover(stage: Stage, dead: readonly string[]): Promise<void> {
  const revivedMs = stage.nowMs;
  await Promise.all(dead.map((name) => stage.act("revive", name)));
  for (const name of dead) await stage.awaitMessage("resolved", name, revivedMs, RESOLVE_MS_MAX);
  await stage.mesh.settled();
  await stage.quiet(3_000);
}
