import { checkNobodyDown, checkOneMessage, checkText, checkTitle, checkVerdict, listed } from "../checks.ts";
import type { Scene, Stage } from "../stage.ts";

/** The address in use is missed at once, the other one at the next look: every 30 s, then confirmed for 15 s. */
const TELL_MS_MAX = { 1: 30_000, 2: 70_000 };
const RESOLVE_MS_MAX = 60_000;
const NETWORKS = { 1: "10.77.0.x", 2: "10.78.0.x" };

export const twoNetworks: Scene = {
  name: "two-networks",
  summary:
    "of two networks one loses its switch, then the other does: nobody is down, the lost path is named",
  alone: true,
  nodes: { usual: 3, min: 3 },
  networks: 2,
  policy: { linkProblem: { grace: "1s" }, flap: "off" },
  async play(stage) {
    await loseSwitch(stage, 1);
    if (!stage.short) await loseSwitch(stage, 2);
    checkNobodyDown(stage);
  },
};

async function loseSwitch(stage: Stage, which: 1 | 2): Promise<void> {
  const { names } = stage;
  const network = NETWORKS[which];
  const lostMs = stage.nowMs;
  stage.note(`the switch of ${network} loses its power`);
  stage.network.powerSwitch(which, false);
  const told = await stage.awaitMessage("open", names[0] ?? "", lostMs, TELL_MS_MAX[which]);
  stage.note(`told ${Math.round(told.atMs - lostMs)} ms after the switch went`);
  await stage.quiet(stage.short ? 2_000 : 10_000);
  checkOneMessage(stage, "open", names, lostMs);
  checkVerdict(stage, told, "link-problem", "link-problem");
  checkTitle(stage, told, `${listed(names)} do not answer on ${network}`);
  checkText(stage, told, "that nobody is down", /Nobody is down/);

  const restoredMs = stage.nowMs;
  stage.note("it has power again");
  stage.network.powerSwitch(which, true);
  await stage.awaitMessage("resolved", names[0] ?? "", restoredMs, RESOLVE_MS_MAX);
  await stage.mesh.settled();
  await stage.quiet(2_000);
  checkOneMessage(stage, "resolved", names, restoredMs);
}
