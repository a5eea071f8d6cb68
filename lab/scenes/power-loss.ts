import { checkEvidence, checkNoFalseVerdicts, checkOneMessage, checkVerdict } from "../checks.ts";
import type { Scene } from "../stage.ts";

const TELL_MS_MAX = 5_000;
const RESOLVE_MS_MAX = 20_000;

export const powerLoss: Scene = {
  name: "power-loss",
  summary: "a host loses power, daemon and link at once, and comes back",
  nodes: { usual: 3, min: 3 },
  async play(stage) {
    const { victim } = stage;
    const lostMs = await stage.act("power-loss", victim);
    const told = await stage.awaitMessage("open", victim, lostMs, TELL_MS_MAX);
    stage.note(`told ${Math.round(told.atMs - lostMs)} ms after the power went`);
    await stage.quiet(stage.short ? 3_000 : 10_000);
    checkOneMessage(stage, "open", [victim], lostMs);
    checkVerdict(stage, told, "host-down", "down");
    checkEvidence(stage, told, stage.others(victim));

    const revivedMs = await stage.act("revive", victim);
    await stage.awaitMessage("resolved", victim, revivedMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    await stage.quiet(2_000);
    checkOneMessage(stage, "resolved", [victim], revivedMs);
    checkNoFalseVerdicts(stage, [victim]);
  },
};
