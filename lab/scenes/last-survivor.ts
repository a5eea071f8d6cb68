import { checkNoFalseVerdicts } from "../checks.ts";
import { subjectNames } from "../driver/message.ts";
import type { Scene } from "../stage.ts";

const TELL_MS_MAX = 6_000;
const RESOLVE_MS_MAX = 20_000;

export const lastSurvivor: Scene = {
  name: "last-survivor",
  summary: "all hosts but one lose power at once: the last one tells of them all",
  nodes: { usual: 3, min: 3 },
  async play(stage) {
    const [survivor = "", ...dead] = stage.names;
    const lostMs = stage.nowMs;
    await Promise.all(dead.map((name) => stage.act("power-loss", name)));
    for (const name of dead) await stage.awaitMessage("open", name, lostMs, TELL_MS_MAX);
    await stage.quiet(3_000);
    const told = stage.messages("open", lostMs);
    const named = [...new Set(told.flatMap(({ message }) => subjectNames(message)))].sort();
    stage.check("one message or two", told.length <= 2, `${told.length}`);
    stage.check("which name them all", named.join() === [...dead].sort().join(), named.join(", "));
    const said = told.map(({ message }) => `${message.verdict} by ${message.viewpoint.node}`);
    stage.check(
      `unreachable, says ${survivor}, alone`,
      told.every(
        ({ message }) =>
          message.verdict === "unreachable" && message.viewpoint.node === survivor && message.viewpoint.alone,
      ),
      said.join("; "),
    );
    const revivedMs = stage.nowMs;
    await Promise.all(dead.map((name) => stage.act("revive", name)));
    for (const name of dead) await stage.awaitMessage("resolved", name, revivedMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    checkNoFalseVerdicts(stage, dead);
  },
};
