import { describe, expect, it } from "vitest";
import { type Instant, instant, minutes, seconds, wallTime } from "../kit/time.ts";
import type { SensorRecord } from "../ports/history.ts";
import { RECENT_STEPS } from "../wire/heat-limits.ts";
import { sensorNamed } from "./heat-desk.ts";
import { recentOf, storedBlackBoxReport } from "./heat-reports.ts";

const who = { node: "n", name: "pve1" };
const record = (id: string, name: string): SensorRecord => ({
  sensor: `n ${id}`,
  kind: "board",
  name,
  unit: "celsius",
  first: wallTime(0),
  last: wallTime(1),
});

describe("the sensor that a person means", () => {
  const records = [
    record("platform/coretemp.0/temp1", "CPU"),
    record("platform/coretemp.0/temp2", "CPU core 0"),
    record("nvme:S1/temp1", "Some drive (nvme0)"),
  ];
  const named = (text: string) => {
    const found = sensorNamed(who, text, records);
    return found.ok ? found.value.name : `${found.error.code}: ${found.error.remedy}`;
  };

  it("is that of its id, else of its name, else of a part that no other has", () => {
    expect(named("platform/coretemp.0/temp2")).toBe("CPU core 0");
    expect(named("cpu")).toBe("CPU");
    expect(named("Core 0")).toBe("CPU core 0");
    expect(named("nvme")).toBe("Some drive (nvme0)");
  });

  it("is asked for again where several fit, or none", () => {
    expect(named("coretemp")).toBe(
      "sensor-ambiguous: Name one of: platform/coretemp.0/temp1 (CPU), platform/coretemp.0/temp2 (CPU core 0).",
    );
    expect(named("gpu")).toContain("sensor-unknown: There are: platform/coretemp.0/temp1 (CPU), ");
    expect(sensorNamed(who, "x", [])).toMatchObject({ error: { code: "readings-unknown" } });
  });
});

describe("the last ten minutes in steps", () => {
  const end = instant(1_000_000);
  const ago = (length: number): Instant => instant(end - length);

  it("are means, oldest first, up to the latest pass; nothing stands for no value", () => {
    const points = [
      { at: ago(seconds(70)), value: 40 },
      { at: ago(seconds(25)), value: 50 },
      { at: ago(seconds(15)), value: 60 },
      { at: end, value: 61 },
    ];
    expect(recentOf(points, end)).toEqual([40, null, 50, 60.5]);
  });

  it("begin with the first value, and hold no more than there are", () => {
    expect(recentOf([], end)).toEqual([]);
    const many = Array.from({ length: 200 }, (_, n) => ({ at: ago(n * 5000), value: n }));
    expect(recentOf(many, end)).toHaveLength(RECENT_STEPS);
    expect(recentOf([{ at: ago(minutes(11)), value: 1 }], end)).toEqual([]);
  });
});

describe("a black box from the disk", () => {
  it("puts the samples of one time into one row, and leaves out what measured nothing", () => {
    const series = [
      {
        sensor: "n a",
        samples: [
          { at: wallTime(1000), value: 1 },
          { at: wallTime(2000), value: 2 },
        ],
      },
      { sensor: "n b", samples: [{ at: wallTime(2000), value: Number.NaN }] },
      { sensor: "n c", samples: [] },
    ];
    const report = storedBlackBoxReport({ ...who, silentSince: undefined }, [record("a", "A")], series);
    expect(report.sensors.map(({ id, name }) => [id, name])).toEqual([
      ["a", "A"],
      ["b", ""],
    ]);
    expect(report.samples).toEqual([
      { at: "1970-01-01T00:00:01.000Z", values: [1, null] },
      { at: "1970-01-01T00:00:02.000Z", values: [2, null] },
    ]);
  });
});
