import { checkNoMessages } from "../checks.ts";
import type { Scene } from "../stage.ts";

const VERDICT_MS_MAX = 5_000;

export const oneWay: Scene = {
  name: "one-way",
  summary: "one host hears another no more, who hears it: a problem of the link, and nobody is told down",
  nodes: { usual: 3, min: 3 },
  async play(stage) {
    const [deaf = "", mute = ""] = stage.names;
    const beganMs = stage.nowMs;
    stage.note(`from now on nothing from ${mute} arrives at ${deaf}`);
    stage.network.deafen(stage.place(deaf), stage.place(mute));
    await stage.awaitVerdict(deaf, mute, "link-problem", beganMs, VERDICT_MS_MAX);
    await stage.quiet(stage.short ? 6_000 : 30_000);
    checkNoMessages(stage, beganMs, "that anybody is down");
    const down = stage
      .downVerdicts(() => false)
      .map((change) => `${change.observer}: ${change.subject} ${change.to}`);
    stage.check("nobody held anybody down", down.length === 0, down.join(", "));
    stage.network.clear(stage.place(deaf));
    await stage.mesh.settled();
    checkNoMessages(stage, beganMs, "afterwards either");
  },
};
