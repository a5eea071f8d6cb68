import { checkNobodyDown, checkOneMessage, checkText, checkTitle, checkVerdict } from "../checks.ts";
import type { Scene } from "../stage.ts";

const TELL_MS_MAX = 15_000;
const RESOLVE_MS_MAX = 15_000;

export const pair: Scene = {
  name: "pair",
  summary: "of three links one is broken: two hosts do not hear each other, both are heard by the third",
  nodes: { usual: 3, min: 3 },
  policy: { linkProblem: { grace: "1s" } },
  async play(stage) {
    const [a = "", b = ""] = stage.names;
    const brokenMs = stage.nowMs;
    stage.note(`from now on nothing passes between ${a} and ${b}`);
    stage.network.deafen(stage.place(a), stage.place(b));
    stage.network.deafen(stage.place(b), stage.place(a));
    const told = await stage.awaitMessage("open", a, brokenMs, TELL_MS_MAX);
    stage.note(`told ${Math.round(told.atMs - brokenMs)} ms after the link broke`);
    await stage.quiet(stage.short ? 2_000 : 20_000);
    checkOneMessage(stage, "open", [a, b], brokenMs);
    checkVerdict(stage, told, "link-problem", "link-problem");
    checkTitle(stage, told, `${a} and ${b} do not hear each other`);
    checkText(stage, told, "that nobody is down", /Nobody is down/);

    const repairedMs = stage.nowMs;
    stage.note("the link is repaired");
    for (const name of [a, b]) stage.network.clear(stage.place(name));
    const over = await stage.awaitMessage("resolved", a, repairedMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    await stage.quiet(2_000);
    checkOneMessage(stage, "resolved", [a, b], repairedMs);
    checkTitle(stage, over, `${a} and ${b} hear each other again`);
    checkOneMessage(stage, "open", [a, b], brokenMs);
    checkNobodyDown(stage);
  },
};
