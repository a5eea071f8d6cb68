import { checkNoFalseVerdicts, checkOneMessage, checkVerdict } from "../checks.ts";
import type { Scene } from "../stage.ts";

const TELL_MS_MAX = 8_000;
const RESOLVE_MS_MAX = 20_000;

export const suspended: Scene = {
  name: "suspended",
  summary:
    "a virtual machine is suspended and goes on: told as down, and it takes nobody for dead when it wakes",
  nodes: { usual: 3, min: 3 },
  async play(stage) {
    const { victim } = stage;
    stage.network.isolate(stage.place(victim));
    const suspendedMs = await stage.act("freeze", victim);
    const told = await stage.awaitMessage("open", victim, suspendedMs, TELL_MS_MAX);
    checkVerdict(stage, told, "host-down", "down");
    await stage.quiet(suspendedMs + (stage.short ? 7_000 : 30_000) - stage.nowMs);

    stage.network.rejoin(stage.place(victim));
    const awakeMs = await stage.act("thaw", victim);
    await stage.awaitMessage("resolved", victim, awakeMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    await stage.quiet(3_000);
    checkOneMessage(stage, "open", [victim], suspendedMs);
    checkOneMessage(stage, "resolved", [victim], awakeMs);
    checkNoFalseVerdicts(stage, [victim]);
    const said = stage.told.filter(({ message }) => message.viewpoint.node === victim);
    stage.check(
      "it told of nobody itself",
      said.every(({ message }) => message.state !== "open"),
    );
  },
};
