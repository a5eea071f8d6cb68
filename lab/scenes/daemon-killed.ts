import {
  checkNoFalseVerdicts,
  checkNoMessages,
  checkOneMessage,
  checkTitle,
  checkVerdict,
} from "../checks.ts";
import type { Scene } from "../stage.ts";

const GRACE_MS = 5_000;
const VERDICT_MS_MAX = 3_000;
/** A kernel that refuses connections says at once that the daemon is gone. */
const VERDICT_DUE_MS = 500;
const DEAD_FOR_MS = 2_000;
const RESOLVE_MS_MAX = 20_000;

export const daemonKilled: Scene = {
  name: "daemon-killed",
  summary:
    "a daemon dies under a living kernel: nothing is told while systemd may still restart it, then it is",
  nodes: { usual: 3, min: 3 },
  alone: true,
  policy: { daemonDown: { grace: `${GRACE_MS / 1000}s` }, flap: "off" },
  async play(stage) {
    const { victim } = stage;
    const witness = stage.others(victim)[0] ?? "";
    const killedMs = await stage.act("kill", victim);
    const verdict = await stage.awaitVerdict(witness, victim, "daemon-down", killedMs, VERDICT_MS_MAX);
    const verdictMs = Math.round(verdict.atMs - killedMs);
    stage.check(`a verdict within ${VERDICT_DUE_MS} ms`, verdictMs <= VERDICT_DUE_MS, `${verdictMs} ms`);
    stage.note(`verdict ${verdictMs} ms after the kill`);
    await stage.quiet(killedMs + DEAD_FOR_MS - stage.nowMs);
    await stage.act("revive", victim);
    await stage.mesh.settled();
    await stage.quiet(killedMs + GRACE_MS + 2_000 - stage.nowMs);
    checkNoMessages(stage, killedMs, "about a daemon that was back within its grace");

    const againMs = await stage.act("kill", victim);
    const told = await stage.awaitMessage("open", victim, againMs, GRACE_MS + VERDICT_MS_MAX);
    const afterMs = Math.round(told.atMs - againMs);
    stage.check(
      `one that stays away is told after its grace of ${GRACE_MS} ms`,
      afterMs >= GRACE_MS,
      `${afterMs} ms`,
    );
    checkVerdict(stage, told, "daemon-down", "daemon-down");
    checkTitle(stage, told, `${victim} is up but not watching`);
    const revivedMs = await stage.act("revive", victim);
    await stage.awaitMessage("resolved", victim, revivedMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    await stage.quiet(1_000);
    checkOneMessage(stage, "open", [victim], againMs);
    checkOneMessage(stage, "resolved", [victim], revivedMs);
    checkNoFalseVerdicts(stage, [victim]);
    const worse = stage.verdicts.filter(({ to }) => to === "host-down" || to === "unreachable");
    stage.check("nobody took a dead daemon for a dead host", worse.length === 0, `${worse.length} verdicts`);
  },
};
