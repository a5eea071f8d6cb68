import { subjectNames } from "../driver/message.ts";
import type { Scene } from "../stage.ts";

/** About the time at which verdicts are reached: where a returning node is most tempted to judge too early. */
const CUT_MS = { shortest: 400, step: 150 };
const RECOVER_MS = 2_000;

export const blink: Scene = {
  name: "blink",
  summary: "cables are pulled for moments of different length: whatever is told, it is about who was cut off",
  nodes: { usual: 3, min: 3 },
  policy: { flap: "off" },
  async play(stage) {
    const blinks = stage.short ? 6 : 24;
    for (let index = 0; index < blinks; index += 1) {
      const victim = stage.names[index % stage.names.length] ?? "";
      const cutMs = await stage.act("cut", victim);
      await stage.quiet(CUT_MS.shortest + CUT_MS.step * (index % 6));
      await stage.act("restore", victim);
      await stage.mesh.settled();
      await stage.quiet(RECOVER_MS);
      const told = stage.messages("open", cutMs).flatMap(({ message }) => subjectNames(message));
      const wrong = told.filter((name) => name !== victim);
      stage.check(`nobody but ${victim} was told of`, wrong.length === 0, wrong.join(", "));
    }
    const opened = stage
      .messages("open")
      .map(({ message }) => message.subjects.map((subject) => subject.incident));
    const resolved = new Set(
      stage
        .messages("resolved")
        .flatMap(({ message }) => message.subjects.map((subject) => subject.incident)),
    );
    const unpaired = opened.flat().filter((incident) => !resolved.has(incident));
    stage.check("what was told was also told to be over", unpaired.length === 0, unpaired.join(", "));
  },
};
