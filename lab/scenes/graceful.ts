import { checkNobodyDown, checkNoMessages } from "../checks.ts";
import type { Scene } from "../stage.ts";

const VERDICT_MS_MAX = 3_000;

export const graceful: Scene = {
  name: "graceful",
  summary: "a daemon is stopped on purpose and started again: nobody is told",
  nodes: { usual: 3, min: 2 },
  async play(stage) {
    const { victim } = stage;
    const stoppedMs = await stage.act("stop", victim);
    for (const other of stage.others(victim)) {
      await stage.awaitVerdict(other, victim, "planned", stoppedMs, VERDICT_MS_MAX);
    }
    await stage.quiet(stage.short ? 5_000 : 30_000);
    checkNobodyDown(stage);
    await stage.act("revive", victim);
    await stage.mesh.settled();
    await stage.quiet(1_000);
    checkNoMessages(stage, stoppedMs, "about a planned stop and return");
  },
};
