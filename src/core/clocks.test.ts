import { describe, expect, it } from "vitest";
import { LoneNode, START } from "../../test/contract/lone-node.ts";
import { days, hours, minutes, seconds } from "../kit/time.ts";
import { ownClockError } from "./clocks.ts";
import { CLOCK_CONFIRM, CLOCK_OFF_FROM, CLOCK_OVER } from "./limits.ts";
import type { NodeId } from "./types.ts";
import { meshView } from "./view-of.ts";

/** "a" by itself; the others beat as told, by clocks that are off as told, and answer each beat at once. */
class Clocks {
  readonly node: LoneNode;
  readonly off: Record<NodeId, number>;
  readonly #echoed = new Map<NodeId, number>();

  constructor(off: Record<NodeId, number>, ownOff = 0) {
    this.off = off;
    this.node = new LoneNode(["a", ...Object.keys(off)]);
    this.node.wallStep = ownOff;
    this.pass(0);
    for (const peer of Object.keys(off)) this.node.connect(peer);
    this.pass(2000);
  }

  pass(length: number, held = 0): void {
    const end = this.node.now + length;
    while (this.node.now < end) {
      const { now } = this.node;
      for (const [peer, off] of Object.entries(this.off)) {
        const sent = this.node.state.peers.get(peer)?.beatsSent.at(-1);
        const echo =
          sent === undefined || sent.seq === this.#echoed.get(peer) ? {} : { echo: { seq: sent.seq, held } };
        if (sent !== undefined) this.#echoed.set(peer, sent.seq);
        this.node.beat(peer, { wall: START + now + off, ...echo });
      }
      this.node.pass(200);
    }
  }

  get clock(): { readonly error?: number; readonly off: boolean } {
    const { error, off } = meshView(this.node.state, this.node.env()).clock;
    return { off, ...(error === undefined ? {} : { error: Math.round(error / 1000) + 0 }) };
  }

  get open(): string[] {
    return this.node
      .incidents("clock")
      .filter((incident) => this.node.endOf(incident) === undefined)
      .map(({ subject, detail }) => `${subject}: ${detail}`);
  }
}

const HOUR = hours(1);
/** Until a clock that is off is called so. */
const CALLED = CLOCK_CONFIRM + 1000;
const since1970 = (): number => -START;

describe("clocks that differ", () => {
  it("are nobody's concern while all agree within the limit", () => {
    const mesh = new Clocks({ b: 400, c: -1200, d: CLOCK_OFF_FROM - 1000 });
    mesh.pass(minutes(3));
    expect(mesh.open).toEqual([]);
    expect(mesh.clock).toEqual({ error: 0, off: false });
    expect(mesh.node.told()).toEqual([]);
  });

  it.each([
    ["an hour ahead", HOUR, "c: 60 min ahead of the others: it says 2027-01-15 09:00:0"],
    ["a day behind", -days(1), "c: 24 h behind the others: it says 2027-01-14 08:00:0"],
    ["reset to 1970", since1970(), "c: 20833 d behind the others: it says 1970-01-01 00:00:0"],
  ])("one that is %s is an incident, told once with how far off it is and what to do", (_, off, said) => {
    const mesh = new Clocks({ b: 0, c: off, d: 300 });
    mesh.pass(CALLED);
    expect(mesh.open).toEqual([expect.stringContaining(said)]);
    expect(mesh.node.told()).toEqual([]);
    mesh.pass(minutes(2));
    expect(mesh.node.told()).toEqual([
      expect.stringMatching(/^The clock of c is [\d]+ (min|h|d) (ahead of|behind) the others$/),
    ]);
    const text = mesh.node.effects.flatMap((effect) =>
      effect.type === "deliver" ? [effect.notification] : [],
    )[0];
    expect(text).toMatchObject({ kind: "clock", severity: "warning", state: "open" });
    expect(text?.text).toContain("timedatectl");
    mesh.off.c = 0;
    mesh.pass(CLOCK_OVER + minutes(1));
    expect(mesh.open).toEqual([]);
    expect(mesh.node.told().slice(1)).toEqual(["The clock of c is right again"]);
  });

  it("one that is set right within its grace is told to nobody", () => {
    const mesh = new Clocks({ b: 0, c: since1970(), d: 0 });
    mesh.pass(seconds(30));
    expect(mesh.open).toHaveLength(1);
    mesh.off.c = 0;
    mesh.pass(minutes(2));
    expect(mesh.open).toEqual([]);
    expect(mesh.node.told()).toEqual([]);
  });

  it("one that wavers about the limit is one incident, not many", () => {
    const mesh = new Clocks({ b: 0, c: CLOCK_OFF_FROM + 1000, d: 0 });
    mesh.pass(CALLED);
    for (let round = 0; round < 10; round += 1) {
      mesh.off.c = CLOCK_OFF_FROM + (round % 2 === 0 ? -2000 : 1000);
      mesh.pass(CALLED);
    }
    expect(mesh.node.incidents("clock")).toHaveLength(1);
    expect(mesh.open).toHaveLength(1);
  });

  it("a beat that was long under way accuses nobody", () => {
    const mesh = new Clocks({ b: 0, c: 0, d: 0 });
    const before = mesh.node.state.peers.get("b")?.clockOffset;
    const sent = mesh.node.state.peers.get("b")?.beatsSent.at(-1)?.seq ?? 0;
    mesh.node.now += 90_000;
    mesh.node.beat("b", { wall: START + mesh.node.now - 90_000, echo: { seq: sent, held: 0 } });
    expect(mesh.node.state.peers.get("b")?.clockOffset).toBe(before);
  });
});

describe("this host's clock", () => {
  it("is known to be off as soon as most others say so, and the node goes by theirs", () => {
    const mesh = new Clocks({ b: 0, c: 300, d: -300 }, since1970());
    mesh.pass(1000);
    expect(mesh.clock).toEqual({ error: Math.round(since1970() / 1000), off: true });
    const view = meshView(mesh.node.state, mesh.node.env());
    expect(Math.abs(view.at - START - mesh.node.now)).toBeLessThan(2000);
    // Beats still bear what the host's clock says: else nobody could see that it is off.
    const beat = mesh.node.effects.findLast(
      (effect) => effect.type === "send" && effect.envelope.message.t === "beat",
    );
    expect(beat).toMatchObject({
      envelope: { message: { wall: expect.toSatisfy((wall: number) => wall < days(1)) } },
    });
  });

  it("enters what it sees under the mesh's time: nobody takes an old record for a new one's beginning", () => {
    const mesh = new Clocks({ b: 0, c: 0, d: 0 }, since1970());
    mesh.pass(seconds(30));
    const [own] = mesh.node.incidents("clock");
    expect(own).toMatchObject({ subject: "a", detail: expect.stringContaining("it says 1970-01-01 00:00:") });
    expect(Math.abs((own?.since ?? 0) - START)).toBeLessThan(minutes(1));
  });

  it("is left to the others to speak of first", () => {
    const mesh = new Clocks({ b: 0, c: 0, d: 0 }, HOUR);
    mesh.pass(CALLED);
    expect(mesh.open).toEqual([]);
    mesh.pass(seconds(15));
    expect(mesh.open).toEqual([expect.stringMatching(/^a: 60 min ahead of the others/)]);
  });

  it("set right by a step is right at once, and set wrong by one is known with the next beats", () => {
    const mesh = new Clocks({ b: 0, c: 0, d: 0 }, -HOUR);
    expect(mesh.clock).toEqual({ error: -3600, off: true });
    mesh.node.wallStep = 0;
    mesh.node.input({ type: "wake" });
    expect(mesh.clock).toEqual({ off: false });
    expect(Math.abs(meshView(mesh.node.state, mesh.node.env()).at - START - mesh.node.now)).toBeLessThan(10);
    mesh.pass(1000);
    expect(mesh.clock).toEqual({ error: 0, off: false });
    mesh.node.wallStep = days(400);
    mesh.pass(1000);
    expect(mesh.clock).toEqual({ error: days(400) / 1000, off: true });
  });

  it("nobody can judge alone, or before most of the others are known", () => {
    const alone = new LoneNode(["a", "b", "c"]);
    alone.pass(5000);
    expect(ownClockError(alone.state)).toBeUndefined();
    const mesh = new Clocks({ b: HOUR, c: 0, d: 0 });
    for (const peer of ["c", "d"]) {
      const state = mesh.node.state.peers.get(peer);
      if (state !== undefined) state.clockOffset = undefined;
    }
    expect(ownClockError(mesh.node.state)).toBeUndefined();
  });
});

describe("as many clocks on one side as on the other", () => {
  it("of two, the keymaster's counts, and the message says that nobody can tell", () => {
    const mesh = new Clocks({ b: HOUR });
    mesh.pass(CALLED);
    expect(mesh.open).toEqual([
      expect.stringMatching(/^b: 60 min ahead of the others: .*as many clocks say otherwise/),
    ]);
    expect(mesh.clock).toEqual({ error: 0, off: false });
  });

  it("the one that was set just now is the wrong one, though it is the keymaster's", () => {
    const mesh = new Clocks({ b: 0 });
    mesh.pass(5000);
    mesh.node.wallStep = HOUR;
    mesh.pass(seconds(30));
    expect(mesh.open).toEqual([expect.stringMatching(/^a: 60 min ahead/)]);
    expect(mesh.clock).toEqual({ error: 3600, off: true });
  });

  it("whoever was right before stays so when a third, who agreed, is gone", () => {
    const mesh = new Clocks({ b: -HOUR, c: 0 });
    mesh.pass(CALLED);
    delete mesh.off.c;
    mesh.pass(minutes(2));
    expect(mesh.open).toEqual([expect.stringMatching(/^b: 60 min behind/)]);
  });
});
