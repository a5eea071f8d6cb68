import {
  checkClaimsNothing,
  checkNobodyDown,
  checkNoMessages,
  checkOneMessage,
  checkVerdict,
} from "../checks.ts";
import { startHogs } from "../driver/hogs.ts";
import type { Scene } from "../stage.ts";

const HOGS = 8;
/** A starved sender of the message is slow as well. */
const TELL_MS_MAX = 20_000;
const RESOLVE_MS_MAX = 40_000;

export const hogs: Scene = {
  name: "hogs",
  summary: `${HOGS} processes want all of the processor: nobody is told down, and a true cut still is`,
  nodes: { usual: 3, min: 3 },
  alone: true,
  async play(stage) {
    const { victim } = stage;
    const beganMs = stage.nowMs;
    stage.note(`${HOGS} hogs run`);
    const stopHogs = startHogs(HOGS);
    try {
      await stage.quiet(stage.short ? 10_000 : 120_000);
      checkNobodyDown(stage);
      checkNoMessages(stage, beganMs, "while they run");
      const cutMs = await stage.act("cut", victim);
      const told = await stage.awaitMessage("open", victim, cutMs, TELL_MS_MAX);
      stage.note(`told ${Math.round(told.atMs - cutMs)} ms after the cut`);
      checkVerdict(stage, told, "host-down", "down");
      await stage.quiet(3_000);
      checkOneMessage(stage, "open", [victim], cutMs);
      await checkClaimsNothing(stage, victim);
    } finally {
      await stopHogs();
    }
    const restoredMs = await stage.act("restore", victim);
    await stage.awaitMessage("resolved", victim, restoredMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
  },
};
