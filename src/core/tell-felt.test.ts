import { beforeEach, describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { hostSample, readingSample } from "../../test/contract/sample-readings.ts";
import { minutes, seconds } from "../kit/time.ts";
import type { Notification } from "./notification.ts";
import { passOf } from "./thermal/pass.ts";
import type { Reading } from "./thermal/reading.ts";
import { tableOf } from "./thermal/sensor-table.ts";

const MEMBERS = ["a", "b", "s", "t"];

describe("a message about a host that fell silent", () => {
  let a: LoneNode;
  let pass = 0;
  beforeEach(() => {
    a = new LoneNode(MEMBERS);
    pass = 0;
    for (const peer of ["b", "s", "t"]) a.connect(peer);
    a.pass(1000, ["b", "s", "t"]);
  });

  const tell = (readings: readonly Reading[], host = "s", by = host): void => {
    pass += 1;
    const table = tableOf(readings, undefined);
    const { life, values } = passOf(readings, table, { life: 1, pass });
    a.say(by, { t: "readings-table", node: host, table });
    const node = by === host ? {} : { node: host };
    a.say(by, { t: "readings", passes: [{ ...node, life, pass, table: table.id, all: values }] });
  };
  const feel = (...passes: readonly (readonly Reading[])[]): void => {
    for (const readings of passes) {
      tell(readings);
      a.pass(seconds(10), ["b", "s", "t"]);
    }
  };
  /** All but b fall silent. */
  const dies = (...silent: string[]): Notification => {
    const living = ["b", "s", "t"].filter((peer) => !silent.includes(peer));
    for (let round = 0; round < 100; round += 1) {
      a.pass(50, round % 4 === 0 ? living : []);
      for (const peer of living) {
        for (const subject of silent)
          a.say(peer, {
            t: "answer",
            subject,
            state: "silent",
            incarnation: 1,
            heard: 900,
            path: "datagram",
            probe: "silent",
          });
      }
    }
    const [told] = a.effects.flatMap((effect) =>
      effect.type === "deliver" && effect.channel === "phone" ? [effect.notification] : [],
    );
    if (told === undefined) throw new Error("nobody was told");
    return told;
  };
  const felt = ({ text }: Notification): string[] =>
    text.split("\n").filter((line) => /felt|critical/.test(line));

  it("says what it last felt, with trends and fans, and how long before", () => {
    feel(hostSample(61), hostSample(62), hostSample(63), hostSample(64, 46, 1400));
    const told = dies("s");
    expect(felt(told)).toEqual([
      "Last felt 10 s before: CPU 64 °C (rising 6 °C a minute), Samsung SSD 980 (nvme0) 46 °C (rising 1.8 °C a minute), fans at 1400 rpm.",
    ]);
    expect(told.subjects[0]?.readings?.map(({ name, value, unit }) => `${name} ${value} ${unit}`)).toEqual([
      "CPU 64 celsius",
      "Samsung SSD 980 (nvme0) 46 celsius",
      "CPU_FAN (nct6798) 1400 rpm",
    ]);
  });

  it("names a fan that stands still, and what was past critical as a possible cause", () => {
    feel(hostSample(80), hostSample(90, 45, 0), hostSample(97, 45, 0));
    expect(felt(dies("s"))).toEqual([
      "Last felt 10 s before: CPU 97 °C (rising 51 °C a minute), Samsung SSD 980 (nvme0) 45 °C, fan CPU_FAN (nct6798) stands still.",
      "CPU was past its critical 95 °C shortly before; that may be the cause.",
    ]);
  });

  it("claims no cause for what was hot longer ago", () => {
    feel(hostSample(97), ...Array.from({ length: 8 }, () => hostSample(50)));
    expect(felt(dies("s")).join()).not.toContain("critical");
  });

  it("names each host where several fell silent", () => {
    feel(hostSample(50));
    tell(hostSample(60), "t");
    a.pass(2000, ["b", "s", "t"]);
    const lines = felt(dies("s", "t"));
    expect(lines.map((line) => line.slice(0, 25))).toEqual([
      "s: last felt 12 s before:",
      "t: last felt 2 s before: ",
    ]);
  });

  it("says at most three sensors, and eight to programs", () => {
    const many = Array.from({ length: 20 }, (_, index) =>
      readingSample({ id: `d${index}`, kind: "hdd", name: `disk ${index}`, value: 30 + index }),
    );
    feel(many);
    const told = dies("s");
    expect(felt(told)).toEqual(["Last felt 10 s before: disk 19 49 °C, disk 18 48 °C, disk 17 47 °C."]);
    expect(told.subjects[0]?.readings).toHaveLength(8);
  });

  it("says nothing of sensors where none are known, or only from long before", () => {
    const without = dies("s");
    expect(felt(without)).toEqual([]);
    expect(without.subjects[0]).not.toHaveProperty("readings");
    const b = new LoneNode(MEMBERS);
    a = b;
    for (const peer of ["b", "s", "t"]) a.connect(peer);
    tell(hostSample(50));
    a.pass(minutes(6), ["b", "s", "t"]);
    expect(felt(dies("s"))).toEqual([]);
  });

  it("uses what another node knew where it did not hear the host's sensors itself", () => {
    a.input({ type: "session-down", peer: "s", session: "with s", end: "replaced" });
    tell(hostSample(70), "s", "b");
    a.connect("s");
    a.pass(seconds(4), ["b", "s", "t"]);
    expect(felt(dies("s"))[0]).toContain("Last felt 4 s before: CPU 70 °C");
  });
});
