import {
  checkClaimsNothing,
  checkNoFalseVerdicts,
  checkOneMessage,
  checkText,
  checkTitle,
  listed,
} from "../checks.ts";
import type { Scene, Stage } from "../stage.ts";

const TELL_MS_MAX = 6_000;
const RESOLVE_MS_MAX = 20_000;
const NOTE_MS_MAX = 15_000;

export const cutOff: Scene = {
  name: "cut-off",
  summary:
    "a host, then every host, is without network for a while: it claims nothing, and says afterwards when it was cut off",
  nodes: { usual: 3, min: 3 },
  policy: { flap: "off" },
  async play(stage) {
    await oneHost(stage);
    await everyHost(stage);
  },
};

/** Its switch forwards no more: the cable has carrier, and only the silence of the gateway shows it. */
async function oneHost(stage: Stage): Promise<void> {
  const { victim } = stage;
  const cutMs = stage.nowMs;
  stage.note(`the switch forwards nothing to and from ${victim} any more`);
  stage.network.isolate(stage.place(victim));
  await stage.awaitMessage("open", victim, cutMs, TELL_MS_MAX);
  await stage.quiet(stage.short ? 3_000 : 20_000);
  await checkClaimsNothing(stage, victim);
  const backMs = stage.nowMs;
  stage.note("it does again");
  stage.network.rejoin(stage.place(victim));
  const over = await stage.awaitMessage("resolved", victim, backMs, RESOLVE_MS_MAX);
  await stage.mesh.settled();
  await stage.quiet(2_000);
  checkOneMessage(stage, "open", [victim], cutMs);
  checkOneMessage(stage, "resolved", [victim], backMs);
  checkText(
    stage,
    over,
    "in its own words when it was cut off",
    new RegExp(`${victim} says: I was cut off from .* UTC to .* UTC`),
  );
  checkText(stage, over, "what its network showed", /gateway 10\.77\.0\.1 does not answer any more/);
  const notes = stage.messages("note", cutMs);
  stage.check("and no note says it again", notes.length === 0, `${notes.length}`);
  checkNoFalseVerdicts(stage, [victim]);
}

async function everyHost(stage: Stage): Promise<void> {
  const { names } = stage;
  const lostMs = stage.nowMs;
  stage.note("the switch of all loses its power");
  stage.network.powerSwitch(1, false);
  await stage.quiet(stage.short ? 5_000 : 30_000);
  for (const name of names) await checkClaimsNothing(stage, name);
  stage.note("it has power again");
  const backMs = stage.nowMs;
  stage.network.powerSwitch(1, true);
  const note = await stage.awaitMessage("note", names[0] ?? "", backMs, NOTE_MS_MAX);
  await stage.mesh.settled();
  await stage.quiet(3_000);
  checkOneMessage(stage, "note", names, lostMs);
  checkTitle(stage, note, new RegExp(`^${listed(names)} were cut off for a while$`));
  checkText(stage, note, "when", /says: I was cut off from .* UTC to .* UTC/);
  const alarms = [...stage.messages("open", lostMs), ...stage.messages("resolved", lostMs)];
  stage.check(
    "nobody was told down",
    alarms.length === 0,
    alarms.map(({ message }) => message.title).join("; "),
  );
}
