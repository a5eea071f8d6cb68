import { checkNobodyDown, checkOneMessage, checkText, checkTitle, checkVerdict } from "../checks.ts";
import type { Scene } from "../stage.ts";

const VERDICT_MS_MAX = 5_000;
const TELL_MS_MAX = 15_000;
const RESOLVE_MS_MAX = 15_000;

export const oneWay: Scene = {
  name: "one-way",
  summary:
    "one host hears another no more, who hears it: told as a problem of the link with its direction, nobody is down",
  nodes: { usual: 3, min: 3 },
  policy: { linkProblem: { grace: "1s" } },
  async play(stage) {
    const [deaf = "", mute = ""] = stage.names;
    const beganMs = stage.nowMs;
    stage.note(`from now on nothing from ${mute} arrives at ${deaf}`);
    stage.network.deafen(stage.place(deaf), stage.place(mute));
    await stage.awaitVerdict(deaf, mute, "link-problem", beganMs, VERDICT_MS_MAX);
    const told = await stage.awaitMessage("open", mute, beganMs, TELL_MS_MAX);
    await stage.quiet(stage.short ? 2_000 : 30_000);
    checkOneMessage(stage, "open", [mute], beganMs);
    checkVerdict(stage, told, "link-problem", "link-problem");
    checkTitle(stage, told, `${deaf} does not hear ${mute}`);
    checkText(stage, told, "the direction", new RegExp(`Nothing arrives from ${mute} to ${deaf}\\.`));

    const repairedMs = stage.nowMs;
    stage.note("it is repaired");
    stage.network.clear(stage.place(deaf));
    const over = await stage.awaitMessage("resolved", mute, repairedMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    await stage.quiet(1_000);
    checkOneMessage(stage, "resolved", [mute], repairedMs);
    checkTitle(stage, over, `${deaf} and ${mute} hear each other again`);
    checkNobodyDown(stage);
  },
};
