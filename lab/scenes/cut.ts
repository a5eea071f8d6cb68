import { checkEvidence, checkNoFalseVerdicts, checkOneMessage, checkVerdict } from "../checks.ts";
import type { Scene } from "../stage.ts";

/** Generous: the benchmark measures how fast, the lab whether it is right. */
const TELL_MS_MAX = 5_000;
const RESOLVE_MS_MAX = 20_000;

export const cut: Scene = {
  name: "cut",
  summary: "one host's cable is pulled and put back: one message, then one that it is over",
  nodes: { usual: 5, min: 3 },
  async play(stage) {
    const { victim } = stage;
    const cutMs = await stage.act("cut", victim);
    const told = await stage.awaitMessage("open", victim, cutMs, TELL_MS_MAX);
    stage.note(`told ${Math.round(told.atMs - cutMs)} ms after the cut`);
    await stage.quiet(stage.short ? 4_000 : 10_000);
    checkOneMessage(stage, "open", [victim], cutMs);
    checkVerdict(stage, told, "host-down", "down");
    checkEvidence(stage, told, stage.others(victim));

    const own = stage.mesh.daemon(victim);
    const [status, { incidents }] = await Promise.all([own.status(), own.control.call("incidents", {})]);
    stage.check("the cut node knows that it is cut off", status.isolated, `isolated: ${status.isolated}`);
    stage.check("and claims nothing", incidents.length === 0, incidents.map(({ name }) => name).join(", "));

    const restoredMs = await stage.act("restore", victim);
    const over = await stage.awaitMessage("resolved", victim, restoredMs, RESOLVE_MS_MAX);
    stage.note(`told that it is over ${Math.round(over.atMs - restoredMs)} ms after the cable was back`);
    await stage.mesh.settled();
    await stage.quiet(2_000);
    checkOneMessage(stage, "resolved", [victim], restoredMs);
    checkOneMessage(stage, "open", [victim], cutMs);
    checkNoFalseVerdicts(stage, [victim]);
  },
};
