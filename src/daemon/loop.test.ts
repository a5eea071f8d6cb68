import { setImmediate as socketsRead } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { rosterOf } from "../../test/contract/lone-node.ts";
import type { Effect, Env, SingleInput } from "../core/io.ts";
import { init } from "../core/node.ts";
import { DEFAULT_POLICY } from "../core/types.ts";
import { seededRandom } from "../kit/random.ts";
import { instant, ms, wallTime } from "../kit/time.ts";
import { Loop } from "./loop.ts";

const random = seededRandom(1);
let loops: Loop[] = [];

function running(): { readonly loop: Loop; readonly effects: Effect[] } {
  const effects: Effect[] = [];
  const env = (): Env => {
    return { now: instant(1000), wall: wallTime(1_800_000_000_000), random };
  };
  const birth = { self: "a", boot: "boot", period: ms(200), roster: rosterOf(["a", "b"]), stored: [] };
  const first = init({ ...birth, channels: [], heartbeats: [], policy: DEFAULT_POLICY }, env());
  const loop = new Loop({ first, env, perform: (effect) => effects.push(effect), onOverload: () => {} });
  loops.push(loop);
  return { loop, effects };
}

afterEach(() => {
  for (const loop of loops) loop.close();
  loops = [];
});

const up: SingleInput = {
  type: "session-up",
  peer: "b",
  session: "with b",
  address: "127.0.0.1:7000",
  certificateExpires: wallTime(1_900_000_000_000),
  certificateFlagged: false,
};
const question: SingleInput = {
  type: "received",
  peer: "b",
  session: "with b",
  plane: "datagram",
  envelope: { message: { t: "ask", subject: "a", incarnation: 1, suspected: 0 } },
};
const answers = (effects: readonly Effect[]): number =>
  effects.filter((effect) => effect.type === "send" && effect.plane === "datagram").length;

describe("the loop", () => {
  it("takes what peers said in together, once the sockets have been read", async () => {
    const { loop, effects } = running();
    loop.push(up);
    effects.length = 0;
    loop.push(question);
    loop.push(question);
    expect(effects).toEqual([]);
    await socketsRead();
    expect(answers(effects)).toBe(2);
  });

  it("takes it along with what cannot wait, in the order in which it came", () => {
    const { loop, effects } = running();
    loop.push(up);
    effects.length = 0;
    loop.push(question);
    loop.push({ type: "stop" });
    const said = effects.flatMap((effect) => (effect.type === "send" ? [effect.envelope.message.t] : []));
    expect(said[0]).toBe("beat");
    expect(said).toContain("goodbye");
  });

  it("takes nothing in once it is closed", async () => {
    const { loop, effects } = running();
    loop.push(up);
    effects.length = 0;
    loop.push(question);
    loop.close();
    await socketsRead();
    expect(effects).toEqual([]);
  });
});
