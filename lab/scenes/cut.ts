import {
  checkClaimsNothing,
  checkEvidence,
  checkNoFalseVerdicts,
  checkOneMessage,
  checkText,
  checkTitle,
  checkVerdict,
} from "../checks.ts";
import type { Scene } from "../stage.ts";

/** Generous: the benchmark measures how fast, the lab whether it is right. */
const TELL_MS_MAX = 5_000;
const RESOLVE_MS_MAX = 20_000;

export const cut: Scene = {
  name: "cut",
  summary: "one host's cable is pulled and put back: one message, then one that it is over",
  nodes: { usual: 5, min: 3, full: [3, 5, 20] },
  async play(stage) {
    const { victim } = stage;
    const cutMs = await stage.act("cut", victim);
    const told = await stage.awaitMessage("open", victim, cutMs, TELL_MS_MAX);
    stage.note(`told ${Math.round(told.atMs - cutMs)} ms after the cut`);
    await stage.quiet(stage.short ? 4_000 : 10_000);
    checkOneMessage(stage, "open", [victim], cutMs);
    checkVerdict(stage, told, "host-down", "down");
    checkTitle(stage, told, `${victim} is down`);
    checkEvidence(stage, told, stage.others(victim));

    await checkClaimsNothing(stage, victim);

    const restoredMs = await stage.act("restore", victim);
    const over = await stage.awaitMessage("resolved", victim, restoredMs, RESOLVE_MS_MAX);
    stage.note(`told that it is over ${Math.round(over.atMs - restoredMs)} ms after the cable was back`);
    await stage.mesh.settled();
    await stage.quiet(2_000);
    checkOneMessage(stage, "resolved", [victim], restoredMs);
    checkTitle(stage, over, `${victim} is back`);
    checkText(
      stage,
      over,
      "what it says of it itself",
      /I was cut off from .* UTC to .* UTC \(eth0: no carrier/,
    );
    checkOneMessage(stage, "open", [victim], cutMs);
    checkNoFalseVerdicts(stage, [victim]);
  },
};
