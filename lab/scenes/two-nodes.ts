import { checkEvidence, checkNoFalseVerdicts, checkOneMessage, checkVerdict } from "../checks.ts";
import type { Scene } from "../stage.ts";

const TELL_MS_MAX = 5_000;
const RESOLVE_MS_MAX = 20_000;

export const twoNodes: Scene = {
  name: "two-nodes",
  summary: "of two hosts one is cut off: the other tells, and says that nobody else was there to ask",
  nodes: { usual: 2, min: 2 },
  async play(stage) {
    const { victim } = stage;
    const cutMs = await stage.act("cut", victim);
    const told = await stage.awaitMessage("open", victim, cutMs, TELL_MS_MAX);
    stage.note(`told ${Math.round(told.atMs - cutMs)} ms after the cut`);
    await stage.quiet(3_000);
    checkOneMessage(stage, "open", [victim], cutMs);
    checkVerdict(stage, told, "unreachable", "down");
    checkEvidence(stage, told, stage.others(victim));
    stage.check(
      "it says that it is alone",
      told.message.viewpoint.alone,
      JSON.stringify(told.message.viewpoint),
    );
    const restoredMs = await stage.act("restore", victim);
    await stage.awaitMessage("resolved", victim, restoredMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    await stage.quiet(1_000);
    checkOneMessage(stage, "resolved", [victim], restoredMs);
    checkNoFalseVerdicts(stage, [victim]);
  },
};
