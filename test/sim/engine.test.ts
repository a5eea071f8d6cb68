/** The simulated world behaves as the daemon's surroundings do. */
import { describe, expect, it } from "vitest";
import type { Effect } from "../../src/core/io.ts";
import type { Notification } from "../../src/core/notification.ts";
import { ms } from "../../src/kit/time.ts";
import { CHANNEL } from "./effects.ts";
import { Stage } from "./puppet.ts";
import { Timeline } from "./timeline.ts";
import { idOf } from "./world.ts";

const connected = async (): Promise<Stage> => {
  const stage = await new Stage(2).open();
  await stage.dial(0, 1);
  await stage.pass(10);
  return stage;
};

describe("virtual time", () => {
  it("lets things happen in order of time, and of scheduling among equals", async () => {
    const timeline = new Timeline();
    const order: string[] = [];
    timeline.schedule(20, () => order.push("later"));
    timeline.schedule(10, () => order.push("first of two"));
    timeline.schedule(10, () => order.push("second of two"));
    timeline.schedule(5, () => timeline.schedule(1, () => order.push("overdue counts as now")));
    await timeline.runUntil(15);
    expect(order).toEqual(["overdue counts as now", "first of two", "second of two"]);
    expect(timeline.now).toBe(15);
  });

  it("keeps the order of many events", async () => {
    const timeline = new Timeline();
    const seen: number[] = [];
    for (let i = 0; i < 2000; i += 1) {
      const at = (i * 7919) % 997;
      timeline.schedule(at, () => seen.push(at));
    }
    await timeline.runUntil(1000);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen).toHaveLength(2000);
  });
});

describe("sessions", () => {
  it("give both ends the same name", async () => {
    const stage = await connected();
    expect(stage.sessions(0)).toEqual(stage.sessions(1));
    expect(stage.sessions(0)).toHaveLength(1);
  });

  it("are refused at once where no process listens, and fail after 3 s where no host is", async () => {
    const stage = await new Stage(3).open();
    stage.world.apply({ type: "kill", host: 1 });
    stage.world.apply({ type: "power-off", host: 2 });
    await stage.dial(0, 1);
    await stage.dial(0, 2);
    await stage.pass(10);
    expect(stage.told(0)).toMatchObject([{ type: "dial-failed", peer: idOf(1) }]);
    await stage.pass(2980);
    expect(stage.told(0)).toHaveLength(1);
    await stage.pass(20);
    expect(stage.told(0)).toMatchObject([{}, { type: "dial-failed", peer: idOf(2) }]);
  });

  it("replace an older one at both ends", async () => {
    const stage = await connected();
    await stage.dial(1, 0);
    await stage.pass(10);
    for (const host of [0, 1]) {
      expect(stage.sessions(host)).toEqual(["up s1", "down s1 replaced", "up s2"]);
    }
  });

  it("agree on one when both dial at once", async () => {
    const stage = await new Stage(2).open();
    await Promise.all([stage.dial(0, 1), stage.dial(1, 0)]);
    await stage.pass(20);
    expect(stage.sessions(0).at(-1)).toBe("up s2");
    expect(stage.sessions(1).at(-1)).toBe("up s2");
  });

  it("end with a reset when the peer's process dies, and silently when its power does", async () => {
    const stage = await connected();
    stage.world.apply({ type: "kill", host: 1 });
    await stage.pass(5);
    expect(stage.sessions(0)).toEqual(["up s1", "down s1 reset"]);

    const other = await connected();
    other.world.apply({ type: "power-off", host: 1 });
    await other.pass(5000);
    expect(other.sessions(0)).toEqual(["up s1"]);
    other.world.apply({ type: "power-on", host: 1 });
    await other.say(0, 1, "stream", 1);
    await other.pass(5);
    expect(other.sessions(0)).toEqual(["up s1", "down s1 reset"]);
  });

  it("end in good order when hung up, after what was said before", async () => {
    const stage = await connected();
    await stage.say(0, 1, "stream", 1);
    await stage.do(0, { type: "hang-up", peer: idOf(1) });
    await stage.pass(5);
    expect(stage.sessions(0)).toEqual(["up s1", "down s1 local"]);
    expect(stage.sessions(1)).toEqual(["up s1", "down s1 goodbye"]);
    expect(stage.numbers(1)).toEqual([1]);
  });
});

describe("messages", () => {
  it("keep their order on a stream, and wait while the path is cut", async () => {
    const stage = await connected();
    stage.world.apply({ type: "path", from: 0, to: 1, up: false });
    for (let n = 1; n <= 5; n += 1) await stage.say(0, 1, "stream", n);
    await stage.pass(1500);
    expect(stage.numbers(1)).toEqual([]);
    stage.world.apply({ type: "path", from: 0, to: 1, up: true });
    await stage.say(0, 1, "stream", 6);
    await stage.pass(2000);
    expect(stage.numbers(1)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("arrive in order on a stream whatever is lost, and some datagrams don't", async () => {
    const stage = await connected();
    stage.world.apply({ type: "quality", loss: 0.3, jitter: 5 });
    const all = Array.from({ length: 100 }, (_, n) => n);
    for (const n of all) await stage.say(0, 1, "stream", n);
    for (const n of all) await stage.say(0, 1, "datagram", 1000 + n);
    await stage.pass(120_000);
    const arrived = stage.numbers(1);
    expect(arrived.filter((n) => n < 1000)).toEqual(all);
    const datagrams = arrived.filter((n) => n >= 1000).length;
    expect(datagrams).toBeGreaterThan(50);
    expect(datagrams).toBeLessThan(90);
  });

  it("need a session, and the same one at both ends", async () => {
    const stage = await new Stage(2).open();
    await stage.say(0, 1, "datagram", 1);
    await stage.dial(0, 1);
    await stage.pass(10);
    stage.world.apply({ type: "kill", host: 1 });
    stage.world.apply({ type: "start", host: 1 });
    // The news of the death has not reached host 0 yet.
    await stage.say(0, 1, "datagram", 2);
    await stage.pass(10);
    expect(stage.numbers(1)).toEqual([]);
  });

  it("are lost on the cut direction only", async () => {
    const stage = await connected();
    stage.world.apply({ type: "path", from: 0, to: 1, up: false });
    await stage.say(0, 1, "datagram", 1);
    await stage.say(1, 0, "datagram", 2);
    await stage.pass(10);
    expect(stage.numbers(1)).toEqual([]);
    expect(stage.numbers(0)).toEqual([2]);
  });
});

describe("a stopped process", () => {
  it("is told on resume what came meanwhile, as far as the socket's buffer reaches", async () => {
    const stage = await connected();
    stage.world.apply({ type: "pause", host: 1 });
    for (let n = 0; n < 400; n += 1) await stage.say(0, 1, "datagram", n);
    await stage.say(0, 1, "stream", 1000);
    await stage.pass(100);
    expect(stage.numbers(1)).toEqual([]);
    stage.world.apply({ type: "resume", host: 1 });
    await stage.pass(10);
    const numbers = stage.numbers(1);
    expect(numbers.filter((n) => n < 1000)).toHaveLength(250);
    expect(numbers).toContain(1000);
  });
});

describe("of two networks", () => {
  it("the lost one carries nothing, neither words nor probes, and the other one everything", async () => {
    const stage = await new Stage(3, 1, 2).open();
    const probes: Effect[] = (stage.world.hosts[2]?.addresses ?? []).map((address) => ({
      type: "probe",
      subject: idOf(2),
      address,
      patience: ms(400),
    }));
    await stage.dial(0, 1, 0);
    await stage.dial(0, 2, 1);
    await stage.pass(10);
    stage.world.apply({ type: "network", network: 0, up: false });
    await stage.say(0, 1, "datagram", 1);
    await stage.say(0, 2, "datagram", 2);
    await stage.do(0, ...probes);
    await stage.pass(500);
    expect(stage.numbers(1)).toEqual([]);
    expect(stage.numbers(2)).toEqual([2]);
    const outcomes = stage
      .told(0)
      .flatMap((input) => (input.type === "probed" ? [[input.address, input.outcome]] : []));
    expect(outcomes.sort()).toEqual([
      ["10.1.0.3:7654", "silent"],
      ["10.2.0.3:7654", "accepted"],
    ]);
  });
});

describe("probes", () => {
  it("tell a living kernel from a silent host", async () => {
    const stage = await new Stage(4).open();
    stage.world.apply({ type: "pause", host: 1 });
    stage.world.apply({ type: "kill", host: 2 });
    stage.world.apply({ type: "power-off", host: 3 });
    for (const subject of [1, 2, 3]) {
      const address = stage.world.hosts[subject]?.addresses[0] ?? "";
      await stage.do(0, { type: "probe", subject: idOf(subject), address, patience: ms(400) });
    }
    await stage.pass(399);
    expect(stage.told(0)).toMatchObject([
      { subject: idOf(1), outcome: "accepted" },
      { subject: idOf(2), outcome: "refused" },
    ]);
    await stage.pass(1);
    expect(stage.told(0)).toMatchObject([{}, {}, { subject: idOf(3), outcome: "silent" }]);
  });
});

const write = (key: string, afterwards: readonly Effect[]): Effect => ({
  type: "persist",
  records: [{ key, value: "x" }],
  afterwards,
});
const spoken: Effect = { type: "notice", notice: { type: "warning", text: "went on" } };

describe("the store", () => {
  async function wentOnAfter(health: "well" | "slow" | "failing"): Promise<{ after: number; stage: Stage }> {
    const stage = await new Stage(1).open();
    stage.world.apply({ type: "disk", host: 0, health });
    const start = stage.world.timeline.now;
    let wentOn = Number.NaN;
    stage.world.onNotice.push(() => {
      wentOn = stage.world.timeline.now - start;
    });
    await stage.do(0, write("a", [spoken]));
    await stage.pass(4000);
    return { after: wentOn, stage };
  }

  it("holds back what depends on a write until it is written", async () => {
    const { after, stage } = await wentOnAfter("well");
    expect(after).toBeGreaterThan(0);
    expect(after).toBeLessThan(5);
    expect(stage.told(0)).toEqual([]);
  });

  it("does not hold it back when the write fails, and says so, also when it recovers", async () => {
    const { after, stage } = await wentOnAfter("failing");
    expect(after).toBe(0);
    expect(stage.told(0)).toMatchObject([{ type: "store-failed" }]);
    await stage.do(0, write("b", []));
    await stage.pass(10);
    stage.world.apply({ type: "disk", host: 0, health: "well" });
    await stage.do(0, write("c", []));
    await stage.pass(10);
    expect(stage.told(0)).toMatchObject([{ type: "store-failed" }, { type: "store-recovered" }]);
  });

  it("does not hold it back for longer than half a second", async () => {
    const { after, stage } = await wentOnAfter("slow");
    expect(after).toBeGreaterThan(100);
    expect(after).toBeLessThanOrEqual(500);
    expect(stage.told(0)).toEqual([]);
  });

  it("keeps what it acknowledged through a crash, and of the rest any beginning", async () => {
    const survivors = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const stage = await new Stage(1, seed).open();
      await stage.do(0, write("acknowledged", []));
      await stage.pass(10);
      await stage.do(0, write("b", []), write("c", []));
      stage.world.apply({ type: "kill", host: 0 });
      stage.world.apply({ type: "start", host: 0 });
      await stage.pass(10);
      survivors.add(
        stage
          .puppet(0)
          .birth.stored.map(({ key }) => key)
          .join(" "),
      );
    }
    expect([...survivors].sort()).toEqual(["acknowledged", "acknowledged b", "acknowledged b c"]);
  });
});

describe("the receiver", () => {
  const notification = { id: "m1", title: "test", state: "note", subjects: [] } as unknown as Notification;
  const deliver: Effect = { type: "deliver", delivery: "m1", channel: CHANNEL, notification };

  async function delivered(prepare: (stage: Stage) => void): Promise<Stage> {
    const stage = await new Stage(1).open();
    prepare(stage);
    await stage.do(0, deliver);
    await stage.pass(31_000);
    return stage;
  }

  it("answers when it is well", async () => {
    const stage = await delivered(() => {});
    expect(stage.told(0)).toMatchObject([{ type: "delivery", result: { outcome: "delivered" } }]);
    expect(stage.world.receiver.arrivals).toHaveLength(1);
  });

  it("may take a message and leave its sender in the dark", async () => {
    const stage = await delivered(({ world }) => world.apply({ type: "receiver", mood: "swallowing" }));
    expect(stage.told(0)).toMatchObject([{ type: "delivery", result: { outcome: "temporary" } }]);
    expect(stage.world.receiver.arrivals).toHaveLength(1);
  });

  it("is out of reach without a link or a route", async () => {
    for (const fault of [
      { type: "link", host: 0, up: false },
      { type: "route", host: 0, up: false },
    ] as const) {
      const stage = await delivered(({ world }) => world.apply(fault));
      expect(stage.told(0)).toMatchObject([{ type: "delivery", result: { outcome: "temporary" } }]);
      expect(stage.world.receiver.arrivals).toHaveLength(0);
    }
  });
});
