import { checkNoFalseVerdicts } from "../checks.ts";
import type { Scene, Stage, Told } from "../stage.ts";

const MESSAGES_MAX = 4;
const FIRST_MS_MAX = 10_000;
const END_MS_MAX = 30_000;
/** How long each state lasts, and how long nothing may change before the flapping counts as over. */
const LENGTHS = {
  full: { times: 6, state: 20_000, quiet: 60_000 },
  short: { times: 4, state: 2_000, quiet: 5_000 },
};

export const flapping: Scene = {
  name: "flapping",
  summary:
    "what a host sends is lost for a while, again and again: told once, then that it comes and goes, then that it is steady",
  nodes: { usual: 3, min: 3 },
  shortPolicy: { flap: { window: "60s", quiet: `${LENGTHS.short.quiet / 1000}s` } },
  async play(stage) {
    const { victim } = stage;
    const { times, state, quiet } = stage.short ? LENGTHS.short : LENGTHS.full;
    const beganMs = stage.nowMs;
    for (let time = 0; time < times; time += 1) {
      stage.note(`nothing from ${victim} arrives anywhere`);
      silence(stage, victim);
      if (time === 0) await stage.awaitMessage("open", victim, beganMs, FIRST_MS_MAX);
      await stage.quiet(state);
      stage.note("it arrives again");
      for (const name of stage.others(victim)) stage.network.clear(stage.place(name));
      await stage.quiet(state);
    }
    const isEnd = ({ kind, state: at }: Told["message"]): boolean => kind === "flapping" && at === "resolved";
    const end = await stage.awaitTold("the end of it", beganMs, quiet + END_MS_MAX, isEnd);
    await stage.mesh.settled();
    await stage.quiet(2_000);
    const told = stage.told.filter(({ atMs }) => atMs >= beganMs);
    const said = told.map(({ message }) => `"${message.title}"`).join(", ");
    stage.check(`at most ${MESSAGES_MAX} messages`, told.length <= MESSAGES_MAX, said);
    const flaps = told.filter(({ message }) => message.kind === "flapping" && message.state === "open");
    const title = `${victim} comes and goes`;
    stage.check(`one of them says "${title}"`, flaps.length === 1 && flaps[0]?.message.title === title, said);
    const steady = `${victim} is steady again`;
    stage.check(`the last one says "${steady}"`, end.message.title === steady && told.at(-1) === end, said);
    const counted = new RegExp(`failed ${times - 1} more times within .*\\. It is well now`);
    stage.check("and how often it was", counted.test(end.message.text), end.message.text);
    checkNoFalseVerdicts(stage, [victim]);
  },
};

function silence(stage: Stage, victim: string): void {
  for (const name of stage.others(victim)) stage.network.deafen(stage.place(name), stage.place(victim));
}
