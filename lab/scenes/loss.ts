import { checkNobodyDown, checkNoMessages } from "../checks.ts";
import { subjectNames } from "../driver/message.ts";
import type { Scene } from "../stage.ts";

const PERCENT = 30;
/** The webhook itself goes through the loss, and TCP backs off by seconds. */
const TELL_MS_MAX = 15_000;
const RESOLVE_MS_MAX = 30_000;

export const loss: Scene = {
  name: "loss",
  summary: `${PERCENT} % of all packets are lost at every node: nobody is told down, and a true cut still is`,
  nodes: { usual: 5, min: 3 },
  async play(stage) {
    const { victim } = stage;
    const lossyMs = stage.nowMs;
    stage.note(`from now on ${PERCENT} % of what arrives anywhere is dropped`);
    for (const name of stage.names) stage.network.lose(stage.place(name), PERCENT);
    await stage.quiet(stage.short ? 20_000 : 300_000);
    checkNoMessages(stage, lossyMs, "while packets are lost");
    checkNobodyDown(stage);

    const cutMs = await stage.act("cut", victim);
    const told = await stage.awaitMessage("open", victim, cutMs, TELL_MS_MAX);
    stage.note(`told ${Math.round(told.atMs - cutMs)} ms after the cut`);
    await stage.quiet(2_000);
    const opens = stage.messages("open", cutMs);
    const wrong = opens.filter(({ message }) => subjectNames(message).join() !== victim);
    stage.check(
      `every message is about ${victim}`,
      wrong.length === 0,
      wrong.map(({ message }) => message.title).join(),
    );
    // Where a receipt may be lost, a duplicate is allowed and silence is not.
    stage.check("one message, or one and a duplicate", opens.length <= 2, `${opens.length}`);
    for (const name of stage.names) stage.network.clear(stage.place(name));
    const restoredMs = await stage.act("restore", victim);
    await stage.awaitMessage("resolved", victim, restoredMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
  },
};
