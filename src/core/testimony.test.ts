import { beforeEach, describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { STALL_RECOVERY } from "./limits.ts";
import type { Answer } from "./messages.ts";

describe("a node whose verdict rests on what it saw of the kernel itself", () => {
  let a: LoneNode;
  beforeEach(() => {
    a = new LoneNode(["a", "b", "s"]);
    a.probe = () => "refused";
    for (const peer of ["b", "s"]) a.connect(peer);
    a.pass(1000, ["b", "s"]);
    a.input({ type: "session-down", peer: "s", session: "with s", end: "reset" });
    a.say("b", { t: "answer", subject: "s", state: "silent", incarnation: 1, path: "none", probe: "silent" });
    a.pass(100, ["b"]);
  });

  /** What it answers b, which doubts s as well, just now. */
  const answerToB = (): Answer | undefined => {
    a.effects.length = 0;
    a.say("b", { t: "ask", subject: "s", incarnation: 1, suspected: 0 });
    return a.effects.flatMap((effect) =>
      effect.type === "send" && effect.envelope.message.t === "answer" ? [effect.envelope.message] : [],
    )[0];
  };

  it("says so to who asks after the verdict, and is not outvoted by who saw nothing", () => {
    expect(a.verdict("s")).toBe("daemon-down");
    expect(answerToB()).toMatchObject({ state: "silent", probe: "refused" });
  });

  it("but not of a kernel that it saw long ago", () => {
    a.probe = () => "silent";
    a.pass(1000, ["b"]);
    expect(answerToB()?.probe).not.toBe("refused");
  });
});

describe("a node that was stopped", () => {
  const STOPPED = 9000;

  /** What it answers b about s, shortly after it has woken; `s` is heard again meanwhile, or not. */
  function answerAfterWaking(hears: readonly string[]): Answer | undefined {
    const a = new LoneNode(["a", "b", "s"]);
    for (const peer of ["b", "s"]) a.connect(peer);
    a.pass(1000, ["b", "s"]);
    a.now += STOPPED;
    a.input({ type: "wake" });
    // What s had said before it was lying in the buffer.
    a.beat("s");
    a.pass(STALL_RECOVERY + 110, hears);
    a.effects.length = 0;
    a.say("b", { t: "ask", subject: "s", incarnation: 1, suspected: 0 });
    return a.effects.flatMap((effect) =>
      effect.type === "send" && effect.envelope.message.t === "answer" ? [effect.envelope.message] : [],
    )[0];
  }

  it("does not vouch for whom it has not heard since it woke: others would wait for the dead", () => {
    expect(answerAfterWaking(["b"])?.state).not.toBe("hearing");
  });

  it("does vouch for whom it hears again", () => {
    expect(answerAfterWaking(["b", "s"])?.state).toBe("hearing");
  });
});

describe("a node that has doubted a peer and hears it again", () => {
  it("takes its word back unasked from whom it asked, whose verdict may hang on it", () => {
    const a = new LoneNode(["a", "b", "s"]);
    for (const peer of ["b", "s"]) a.connect(peer);
    a.pass(1000, ["b", "s"]);
    a.probe = () => "accepted";
    a.pass(700, ["b"]);
    expect(a.verdict("s")).toBe("suspect");
    a.effects.length = 0;
    a.beat("s");
    const said = a.effects.flatMap((effect) =>
      effect.type === "send" && effect.envelope.message.t === "answer"
        ? [[effect.to, effect.envelope.message]]
        : [],
    );
    expect(said).toMatchObject([["b", { subject: "s", state: "unknown" }]]);
  });
});

it("a peer that only others heard, and that is mute to all by now, counts as mute since they last heard it", () => {
  const a = new LoneNode(["a", "b", "s"]);
  a.probe = () => "accepted";
  for (const peer of ["b", "s"]) a.connect(peer);
  a.pass(1000, ["b", "s"]);
  const sayFor = (length: number, word: Partial<Answer>): void => {
    for (let at = 0; at < length; at += 100) {
      a.say("b", {
        t: "answer",
        subject: "s",
        state: "silent",
        incarnation: 1,
        path: "datagram",
        probe: "none",
        ...word,
      });
      a.pass(100, ["b"]);
    }
  };
  sayFor(5000, { state: "hearing", heard: 10 });
  expect(a.verdict("s")).toBe("link-problem");
  sayFor(2000, { heard: 5500 });
  expect(a.verdict("s")).toBe("daemon-down");
});
