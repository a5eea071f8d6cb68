import { checkOneMessage, checkText, checkTitle, checkVerdict, checkViewpoint, listed } from "../checks.ts";
import { subjectNames } from "../driver/message.ts";
import type { Scene } from "../stage.ts";

const TELL_MS_MAX = 8_000;
const RESOLVE_MS_MAX = 20_000;

export const partition: Scene = {
  name: "partition",
  summary:
    "the mesh falls into two parts: each says once what it sees, and one note follows when they meet again",
  nodes: { usual: 5, min: 5 },
  // Whoever is starved for half a second abstains, and the larger side's verdict is a weaker one.
  alone: true,
  async play(stage) {
    const half = Math.floor(stage.names.length / 2) + 1;
    const [larger, smaller] = [stage.names.slice(0, half), stage.names.slice(half)];
    const splitMs = stage.nowMs;
    stage.note(`from now on nothing passes between ${listed(larger)} here and ${listed(smaller)} there`);
    stage.network.split([larger.map((name) => stage.place(name)), smaller.map((name) => stage.place(name))]);
    const seen = await stage.awaitMessage("open", smaller[0] ?? "", splitMs, TELL_MS_MAX);
    const saw = await stage.awaitMessage("open", larger[0] ?? "", splitMs, TELL_MS_MAX);
    await stage.quiet(stage.short ? 4_000 : 15_000);
    const told = stage.messages("open", splitMs);
    stage.check(
      "each side told once",
      told.length === 2,
      told.map(({ message }) => message.title).join("; "),
    );

    stage.check("the larger side names the others", subjectNames(seen.message).join() === smaller.join());
    checkTitle(stage, seen, `${listed(smaller)} are down`);
    checkVerdict(stage, seen, "host-down", "down");
    checkViewpoint(stage, seen, larger, larger.length);

    stage.check("the smaller side names the others", subjectNames(saw.message).join() === larger.join());
    checkTitle(stage, saw, `${listed(larger)} unreachable from ${saw.message.viewpoint.node}`);
    checkVerdict(stage, saw, "unreachable", "down");
    checkViewpoint(stage, saw, smaller, smaller.length);

    const healedMs = stage.nowMs;
    stage.note("the parts meet again");
    for (const name of stage.names) stage.network.clear(stage.place(name));
    const over = await stage.awaitMessage("resolved", stage.names[0] ?? "", healedMs, RESOLVE_MS_MAX);
    await stage.mesh.settled();
    await stage.quiet(3_000);
    checkOneMessage(stage, "resolved", stage.names, healedMs);
    checkText(
      stage,
      over,
      "that the mesh was split",
      /^The mesh was split for [\d.]+ m?s, and is whole again/,
    );
    checkText(stage, over, "between whom", new RegExp(`${listed(smaller)}.*nor the other way round`));
    checkText(stage, over, "that nobody had stopped", /None of them had stopped/);
  },
};
