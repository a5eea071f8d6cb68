import { beforeEach, describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { hostSample } from "../../test/contract/sample-readings.ts";
import { minutes, seconds } from "../kit/time.ts";
import type { FarewellReason, Goodbye } from "./messages.ts";
import { DEFAULT_POLICY } from "./types.ts";
import { meshView } from "./view-of.ts";

/** The goodbye a host says that is told to stop after these CPU temperatures, ten seconds apart. */
function goodbyeOf(why: Exclude<FarewellReason, "thermal"> | undefined, ...cpu: number[]): Goodbye {
  const s = new LoneNode(["s", "a"]);
  s.connect("a");
  for (const celsius of cpu) {
    s.now += seconds(10);
    s.input({ type: "readings", readings: hostSample(celsius) });
  }
  s.input({ type: "stop", ...(why === undefined ? {} : { why }) });
  const said = s.effects.flatMap((effect) =>
    effect.type === "send" && effect.envelope.message.t === "goodbye" ? [effect.envelope.message] : [],
  );
  if (said[0] === undefined) throw new Error("it left without a goodbye");
  return said[0];
}

describe("a host that is told to stop", () => {
  it.each([
    ["by itself", undefined, [99], undefined],
    ["its daemon alone", "stop", [99], "stop"],
    ["for a reboot", "reboot", [99], "reboot"],
    ["for good", "shutdown", [60], "shutdown"],
    ["for good, without sensors", "shutdown", [], "shutdown"],
    ["for good while past critical", "shutdown", [96, 90], "thermal"],
    ["for good after it was past critical", "shutdown", [96, 90, 80, 70, 60, 60, 60, 60], "shutdown"],
  ] as const)("%s says so", (_, why, cpu, expected) => {
    expect(goodbyeOf(why, ...cpu).why).toBe(expected);
  });
});

describe("whoever hears the goodbye", () => {
  let a: LoneNode;
  beforeEach(() => {
    a = new LoneNode(["a", "b", "s"]);
    for (const peer of ["b", "s"]) a.connect(peer);
    // Started a while ago: it tells at once.
    a.pass(3000, ["b", "s"]);
  });

  const leaves = (why: FarewellReason): void => {
    a.say("s", { t: "goodbye", incarnation: 1, reason: "stop", why });
    a.input({ type: "session-down", peer: "s", session: "with s", end: "goodbye" });
  };
  const whyOf = (node: LoneNode): string | undefined =>
    meshView(node.state, node.env()).nodes.find(({ id }) => id === "s")?.why;

  it("shows why, also after a restart of its own, until the host is back", () => {
    leaves("reboot");
    expect(whyOf(a)).toBe("reboot");
    const again = new LoneNode(
      ["a", "b", "s"],
      [...a.disk].map(([key, value]) => ({ key, value })),
    );
    expect(whyOf(again)).toBe("reboot");
    again.connect("s");
    again.beat("s", { incarnation: 2 });
    expect(whyOf(again)).toBeUndefined();
  });

  it.each(["stop", "reboot", "shutdown"] as const)(
    "tells nobody of a %s in its time, then that it is missing",
    (why) => {
      leaves(why);
      a.pass(minutes(9), ["b"]);
      expect(a.told()).toEqual([]);
      const words = {
        stop: "it was stopped on purpose",
        reboot: "it was rebooted",
        shutdown: "it was shut down on purpose",
      };
      for (let round = 0; round < 400; round += 1) {
        a.pass(200, ["b"]);
        a.say("b", {
          t: "answer",
          subject: "s",
          state: "unknown",
          incarnation: 1,
          path: "none",
          probe: "none",
        });
      }
      expect(a.incidents("missing").map(({ detail }) => detail)).toEqual([
        `${words[why]} and has not come back`,
      ]);
    },
  );

  it("tells of a shutdown while too hot at once, as of a death, and of its end", () => {
    leaves("thermal");
    expect(a.verdict("s")).toBe("planned");
    a.pass(1000, ["b"]);
    expect(a.incidents("down")).toMatchObject([
      { subject: "s", detail: "it shut itself down while too hot" },
    ]);
    expect(a.told()).toEqual(["s is down"]);
    a.pass(DEFAULT_POLICY.plannedFor + minutes(2), ["b"]);
    expect(a.incidents("missing")).toEqual([]);
    a.connect("s");
    for (let round = 0; round < 50; round += 1) {
      a.beat("s", { incarnation: 2, boot: "another" });
      a.pass(200, ["b"]);
    }
    expect(a.told()).toEqual(["s is down", "s is back"]);
  });
});
