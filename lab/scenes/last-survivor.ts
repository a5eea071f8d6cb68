import { checkNoFalseVerdicts, checkOneMessage, checkText, checkVerdict, checkViewpoint } from "../checks.ts";
import type { Scene } from "../stage.ts";

const TELL_MS_MAX = 6_000;
/** From the loss to the message: verdicts, the settling of all of them, a turn. */
const TOLD_WITHIN_MS = 2_000;
const RESOLVE_MS_MAX = 20_000;

export const lastSurvivor: Scene = {
  name: "last-survivor",
  summary:
    "all hosts but one lose power at once: the last one tells of them all, and what its own network shows",
  nodes: { usual: 3, min: 2, full: [2, 3, 5] },
  alone: true,
  async play(stage) {
    const [survivor = "", ...dead] = stage.names;
    const lostMs = stage.nowMs;
    await Promise.all(dead.map((name) => stage.act("power-loss", name)));
    const goneMs = stage.nowMs;
    const told = await stage.awaitMessage("open", dead[0] ?? "", lostMs, TELL_MS_MAX);
    const afterMs = Math.round(told.atMs - goneMs);
    stage.check(`told within ${TOLD_WITHIN_MS} ms`, afterMs <= TOLD_WITHIN_MS, `${afterMs} ms`);
    stage.note(`told ${afterMs} ms after the last one was gone`);
    await stage.quiet(stage.short ? 3_000 : 10_000);
    checkOneMessage(stage, "open", dead, lostMs);
    checkVerdict(stage, told, "unreachable", "down");
    checkViewpoint(stage, told, [survivor], 1);
    stage.check("it says that it is alone", told.message.viewpoint.alone);
    checkText(
      stage,
      told,
      "what its own network shows",
      /my own uplink: eth0: carrier, gateway 10\.77\.0\.1 answers/,
    );

    const revivedMs = stage.nowMs;
    await Promise.all(dead.map((name) => stage.act("revive", name)));
    for (const name of dead) await stage.awaitMessage("resolved", name, revivedMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    checkNoFalseVerdicts(stage, dead);
  },
};
