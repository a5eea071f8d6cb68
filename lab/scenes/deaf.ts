import {
  checkClaimsNothing,
  checkNobodyDown,
  checkOneMessage,
  checkText,
  checkTitle,
  listed,
} from "../checks.ts";
import type { Scene } from "../stage.ts";

const TELL_MS_MAX = 20_000;
const RESOLVE_MS_MAX = 20_000;

export const deaf: Scene = {
  name: "deaf",
  summary: "a host hears nobody, and everyone hears it: the others name it, it claims nothing",
  nodes: { usual: 4, min: 3 },
  policy: { linkProblem: { grace: "1s" } },
  async play(stage) {
    const { victim } = stage;
    const others = stage.others(victim);
    const beganMs = stage.nowMs;
    stage.note(`from now on nothing that is sent to ${victim} arrives`);
    stage.network.stopEars(stage.place(victim));
    const told = await stage.awaitMessage("open", others[0] ?? "", beganMs, TELL_MS_MAX);
    stage.note(`told ${Math.round(told.atMs - beganMs)} ms after`);
    await stage.quiet(stage.short ? 2_000 : 10_000);
    checkOneMessage(stage, "open", others, beganMs);
    checkTitle(stage, told, `${victim} does not hear ${listed(others)}`);
    checkText(stage, told, "that nobody is down", /Nobody is down/);
    stage.check("another tells of it", told.message.viewpoint.node !== victim, told.message.viewpoint.node);
    await checkClaimsNothing(stage, victim);

    const repairedMs = stage.nowMs;
    stage.note("it hears again");
    stage.network.clear(stage.place(victim));
    await stage.awaitMessage("resolved", others[0] ?? "", repairedMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    await stage.quiet(2_000);
    checkOneMessage(stage, "resolved", others, repairedMs);
    checkNobodyDown(stage);
  },
};
