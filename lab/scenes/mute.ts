import { checkNobodyDown, checkOneMessage, checkText, checkTitle, checkVerdict, listed } from "../checks.ts";
import type { Scene } from "../stage.ts";

const TELL_MS_MAX = 15_000;
const RESOLVE_MS_MAX = 15_000;

export const mute: Scene = {
  name: "mute",
  summary:
    "of a host nothing arrives at several others, and one still hears it: it is named, and not held down",
  nodes: { usual: 5, min: 4 },
  policy: { linkProblem: { grace: "1s" } },
  async play(stage) {
    const { victim } = stage;
    const deaf = stage.others(victim).slice(0, -1);
    const beganMs = stage.nowMs;
    stage.note(`from now on nothing from ${victim} arrives at ${deaf.join(", ")}`);
    for (const name of deaf) stage.network.deafen(stage.place(name), stage.place(victim));
    const told = await stage.awaitMessage("open", victim, beganMs, TELL_MS_MAX);
    await stage.quiet(stage.short ? 2_000 : 20_000);
    checkOneMessage(stage, "open", [victim], beganMs);
    checkVerdict(stage, told, "link-problem", "link-problem");
    checkTitle(stage, told, `${victim} is not heard by ${listed(deaf)}`);
    checkText(stage, told, "the directions", new RegExp(`Nothing arrives from ${victim} to ${deaf[0]}, `));

    const repairedMs = stage.nowMs;
    stage.note("it is heard again");
    for (const name of deaf) stage.network.clear(stage.place(name));
    await stage.awaitMessage("resolved", victim, repairedMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    await stage.quiet(2_000);
    checkOneMessage(stage, "resolved", [victim], repairedMs);
    checkNobodyDown(stage);
  },
};
