import { checkNoMessages, checkOneMessage, checkText, checkTitle, checkVerdict } from "../checks.ts";
import type { Scene } from "../stage.ts";

const TELL_MS_MAX = 6_000;
const RESOLVE_MS_MAX = 20_000;
const MISSING_MS = 10_000;

export const blackout: Scene = {
  name: "blackout",
  summary:
    "all hosts stop at once, one was down before and one stays away: what was open goes on, who is absent is missing",
  nodes: { usual: 4, min: 4 },
  policy: { missing: { after: `${MISSING_MS / 1000}s` }, flap: "off" },
  async play(stage) {
    const { victim } = stage;
    const absent = stage.others(victim).at(-1) ?? "";
    const back = stage.others(victim, absent);
    const lostMs = await stage.act("power-loss", victim);
    await stage.awaitMessage("open", victim, lostMs, TELL_MS_MAX);
    await stage.quiet(1_500);

    const blackMs = stage.nowMs;
    await Promise.all(stage.others(victim).map((name) => stage.act("kill", name)));
    await stage.quiet(1_000);
    await Promise.all(back.map((name) => stage.act("revive", name)));
    const startedMs = stage.nowMs;
    const told = await stage.awaitMessage("open", absent, blackMs, MISSING_MS + TELL_MS_MAX);
    const afterMs = Math.round(told.atMs - startedMs);
    stage.note(`told ${afterMs} ms after the others were back`);
    checkVerdict(stage, told, "missing", "missing");
    checkTitle(stage, told, `${absent} is missing`);
    checkText(stage, told, "why", new RegExp(`${absent}: it has not been heard since this node started\\.`));
    await stage.quiet(stage.short ? 2_000 : 30_000);
    checkOneMessage(stage, "open", [absent], blackMs);
    const [status] = await Promise.all(back.map((name) => stage.mesh.daemon(name).status()));
    stage.check(
      "what was open before still is",
      status?.openIncidents === 2,
      `${status?.openIncidents} open`,
    );

    const revivedMs = stage.nowMs;
    await Promise.all([victim, absent].map((name) => stage.act("revive", name)));
    for (const name of [victim, absent])
      await stage.awaitMessage("resolved", name, revivedMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    const calmMs = stage.nowMs;
    await stage.quiet(2_000);
    checkNoMessages(stage, calmMs, "afterwards");
    const over = stage.messages("resolved", blackMs);
    stage.check(
      "each recovery was told once",
      over.length <= 2,
      over.map(({ message }) => message.title).join("; "),
    );
    checkOneMessage(stage, "open", [absent], blackMs);
  },
};
