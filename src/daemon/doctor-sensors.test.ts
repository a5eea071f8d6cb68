import { describe, expect, it } from "vitest";
import type { MeshView } from "../core/view.ts";
import { seconds } from "../kit/time.ts";
import { heatRuleFindings, historyFindings, sensorFindings } from "./doctor-sensors.ts";
import type { SensorsState } from "./sensor-watch.ts";

const well: SensorsState = {
  watched: true,
  every: seconds(10),
  readings: 41,
  left: 0,
  stuck: 0,
  hangs: false,
  unexpected: 0,
};
const MIB = 1024 * 1024;
const status = { bytes: 3 * MIB, bytesMax: 256 * MIB, sensors: 80, unwritten: 40, dropped: 0, damaged: 0 };

describe("doctor on sensors", () => {
  it.each([
    ["all is well", well, "ok", "41, read every 10 s"],
    ["there are none", { ...well, readings: 0 }, "ok", "none found"],
    ["nothing was read yet", { ...well, readings: undefined }, "ok", "none found"],
    [
      "they are not watched",
      { ...well, watched: false, stuck: 1 },
      "ok",
      "not watched: `sensors.watch` is off",
    ],
    ["a driver hangs", { ...well, stuck: 1 }, "warning", "1 driver does not answer"],
    ["two drivers hang", { ...well, stuck: 2 }, "warning", "2 drivers do not answer"],
    [
      "a look hangs",
      { ...well, hangs: true },
      "warning",
      "a look at them does not end: there are no readings until it does",
    ],
    ["there are too many", { ...well, left: 7 }, "warning", "7 are beyond the limits and not read"],
    [
      "one talks nonsense",
      { ...well, unexpected: 3 },
      "warning",
      "3 of the things they said were not understood",
    ],
  ] as const)("%s", (_, state, level, finding) => {
    expect(sensorFindings(state)).toMatchObject([{ check: "sensors", level, finding }]);
  });

  it("says all that is wrong", () => {
    expect(sensorFindings({ ...well, stuck: 1, left: 1, unexpected: 1, hangs: true })).toHaveLength(4);
  });
});

describe("doctor on the rules for sensors", () => {
  const view = { nodes: [{ name: "pve1" }, { name: "attic-2" }] } as unknown as MeshView;

  it("names a rule whose host is none of the mesh, with the one that may be meant", () => {
    const rules = [
      { warning: 60 },
      { node: "pve3", ignore: true },
      { node: "cellar*", ignore: true },
      { node: "Attic*", ignore: true },
      { node: "pve1", ignore: true },
    ];
    expect(heatRuleFindings(view, rules)).toEqual([
      {
        check: "sensors.rules[1].node",
        level: "warning",
        finding: "no member of this mesh is named pve3",
        remedy: "Did you mean pve1? There are: pve1, attic-2.",
      },
      {
        check: "sensors.rules[2].node",
        level: "warning",
        finding: "no member of this mesh is named cellar*",
        remedy: "There are: pve1, attic-2.",
      },
    ]);
  });
});

describe("doctor on the history", () => {
  const state = { kept: true, failing: undefined, status };
  it.each([
    ["it is kept", state, "ok", "80 sensors, 3.0 of 256 MiB"],
    ["it is off", { ...state, kept: false, status: undefined }, "ok", "off"],
    ["there was nothing", { ...state, status: undefined }, "ok", "nothing to keep yet"],
    ["it cannot be written", { ...state, failing: "the disk is full" }, "failed", "the disk is full"],
    [
      "it lost samples",
      { ...state, status: { ...status, dropped: 5, damaged: 1 } },
      "warning",
      "80 sensors, 3.0 of 256 MiB; since the start 5 samples were not kept, 1 pieces were damaged",
    ],
  ] as const)("%s", (_, given, level, finding) => {
    expect(historyFindings(given)).toMatchObject([{ check: "history", level, finding }]);
  });
});
