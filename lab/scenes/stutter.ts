import { checkNobodyDown, checkNoMessages } from "../checks.ts";
import type { Scene } from "../stage.ts";

/** Shorter than the silence that makes others doubt (three beats), longer than any healthy pause. */
const STOPPED_MS = 350;
const RUNNING_MS = 150;

export const stutter: Scene = {
  name: "stutter",
  summary: "a daemon starves, stopped for most of every half second: it takes nobody for dead, and nobody it",
  nodes: { usual: 3, min: 3 },
  policy: { daemonDown: { grace: "1s" } },
  async play(stage) {
    const { victim } = stage;
    const beganMs = stage.nowMs;
    const lengthMs = stage.short ? 8_000 : 60_000;
    stage.note(
      `${victim} is stopped for ${STOPPED_MS} ms, then runs for ${RUNNING_MS} ms, and so on for ${lengthMs} ms`,
    );
    while (stage.nowMs - beganMs < lengthMs) {
      await stage.mesh.perform("freeze", victim);
      await stage.quiet(STOPPED_MS);
      await stage.mesh.perform("thaw", victim);
      await stage.quiet(RUNNING_MS);
    }
    await stage.mesh.settled();
    await stage.quiet(2_000);
    checkNoMessages(stage, beganMs, "about anybody");
    checkNobodyDown(stage);
  },
};
