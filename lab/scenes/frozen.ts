import {
  checkNobodyDown,
  checkNoFalseVerdicts,
  checkNoMessages,
  checkOneMessage,
  checkTitle,
  checkVerdict,
} from "../checks.ts";
import type { Scene } from "../stage.ts";

/** A hung daemon accepts connections and is mute: the verdict comes after 5 s, then the grace. */
const TELL_MS_MAX = 12_000;
/** Too short for a verdict. */
const BLINK_MS = 2_000;
const RESOLVE_MS_MAX = 20_000;

export const frozen: Scene = {
  name: "frozen",
  summary:
    "a daemon hangs (SIGSTOP) and goes on: told as hung, and it takes nobody else for dead when it wakes",
  nodes: { usual: 3, min: 3 },
  policy: { daemonDown: { grace: "1s" }, flap: "off" },
  async play(stage) {
    const { victim } = stage;
    const blinkMs = await stage.act("freeze", victim);
    await stage.quiet(BLINK_MS);
    await stage.act("thaw", victim);
    await stage.quiet(3_000);
    checkNoMessages(stage, blinkMs, `about ${BLINK_MS} ms of silence`);
    checkNobodyDown(stage);

    const frozenMs = await stage.act("freeze", victim);
    const told = await stage.awaitMessage("open", victim, frozenMs, TELL_MS_MAX);
    stage.note(`told ${Math.round(told.atMs - frozenMs)} ms after the freeze`);
    checkVerdict(stage, told, "daemon-down", "daemon-down");
    checkTitle(stage, told, `${victim} is up but not watching`);
    await stage.quiet(frozenMs + 10_000 - stage.nowMs);
    const thawedMs = await stage.act("thaw", victim);
    await stage.awaitMessage("resolved", victim, thawedMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    await stage.quiet(2_000);
    checkOneMessage(stage, "open", [victim], frozenMs);
    checkOneMessage(stage, "resolved", [victim], thawedMs);
    checkNoFalseVerdicts(stage, [victim]);
  },
};
