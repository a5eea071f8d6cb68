import { describe, expect, it } from "vitest";
import { wallTime } from "../../kit/time.ts";
import { cpuTemperature } from "./cpu.ts";
import { outline, READINGS_MAX, readings } from "./normalise.ts";
import type { RawChannel, RawChip, RawPass } from "./raw.ts";
import type { Reading } from "./reading.ts";

const at = wallTime(5000);

/** `Tctl 65` or `45`: label and m°C; without a number, nothing was read. */
type Line = readonly [label: string | null, text: string | null];

function chip(driver: string, lines: readonly Line[], more: Partial<RawChip> = {}) {
  const channels = lines.map(
    ([label], index): RawChannel => ({ type: "temp", index: index + 1, label, settings: new Map() }),
  );
  const raw: RawChip = {
    driver,
    place: `platform/${driver}.0`,
    device: `${driver}.0`,
    bus: { type: "isa", number: 0, address: 0 },
    slot: null,
    disk: null,
    channels,
    ...more,
  };
  return { raw, texts: lines.map(([, text]) => text) };
}

function normalised(...chips: readonly ReturnType<typeof chip>[]): readonly Reading[] {
  const pass: RawPass = {
    at,
    chips: chips.map(({ raw }) => raw),
    values: chips.map(({ texts }) =>
      texts.map((text) => ({ outcome: text === null ? "missing" : "read", text, fault: false, at })),
    ),
    left: 0,
  };
  return readings(pass, outline(pass.chips));
}

const cpuOf = (...chips: readonly ReturnType<typeof chip>[]) => cpuTemperature(normalised(...chips))?.celsius;

const coretemp = (...values: readonly string[]) =>
  chip(
    "coretemp",
    values.map((text, index) => [index === 0 ? "Package id 0" : `Core ${index - 1}`, text]),
  );
const nct = (...lines: readonly Line[]) => chip("nct6798", lines);
const acpi = chip("acpitz", [[null, "27800"]], { place: "virtual/acpitz" });
const soc = chip("cpu_thermal", [[null, "50000"]], { place: "virtual/cpu_thermal" });

describe("the CPU temperature", () => {
  it.each([
    ["the package", [coretemp("45000", "43000")], 45],
    ["a core above the package", [coretemp("45000", "42000", "52000")], 52],
    ["a true zero", [coretemp("0", "0")], 0],
    [
      "Tctl, not a cooler chiplet",
      [
        chip("k10temp", [
          ["Tctl", "65000"],
          ["Tccd1", "62500"],
        ]),
      ],
      65,
    ],
    [
      "the hottest of chiplets alone",
      [
        chip("k10temp", [
          ["Tccd1", "62500"],
          ["Tccd2", "58000"],
        ]),
      ],
      62.5,
    ],
    [
      "Tdie, not the Tctl above it",
      [
        chip("k10temp", [
          ["Tctl", "72000"],
          ["Tdie", "52000"],
        ]),
      ],
      52,
    ],
    ["zenpower's", [chip("zenpower", [["Tdie", "61000"]]), nct(["CPUTIN", "90000"])], 61],
    ["coretemp before the SoC zone", [soc, coretemp("65000")], 65],
    ["coretemp before a hotter board chip", [nct(["CPUTIN", "99000"]), coretemp("40000")], 40],
    ["the SoC zone before board and ACPI", [acpi, nct(["CPUTIN", "45000"]), soc], 50],
    [
      "the board's digital sensor before its probe",
      [nct(["CPUTIN", "90000"], ["PECI Agent 0", "47000"])],
      47,
    ],
    ["the board's probe", [acpi, nct(["SYSTIN", "35000"], ["CPUTIN", "45000"])], 45],
    ["ACPI when nothing else tells", [acpi, nct(["SYSTIN", "35000"])], 27.8],
    ["the next best when the best cannot be read", [chip("coretemp", [["Package id 0", null]]), soc], 50],
  ])("is %s", (_name, chips, celsius) => {
    expect(cpuOf(...chips)).toBe(celsius);
  });

  it("is nothing for a GPU, a disk or a board without a CPU's label", () => {
    const gpu = chip("amdgpu", [
      ["edge", "65000"],
      ["junction", "72000"],
    ]);
    const drive = chip("nvme", [["Composite", "42000"]]);
    expect(cpuOf(gpu, drive, nct(["SYSTIN", "35000"]))).toBeUndefined();
  });

  it("says whether it stands in for the CPU's own sensor", () => {
    expect(cpuTemperature(normalised(acpi))).toMatchObject({ driver: "acpitz", standIn: true });
    expect(cpuTemperature(normalised(coretemp("40000")))).toMatchObject({
      driver: "coretemp",
      standIn: false,
    });
  });
});

describe("readings", () => {
  it("call a disk by model, slot and device, and identify it by its serial wherever it is", () => {
    const disk = { device: "nvme1", model: "Samsung SSD 990 PRO 2TB", serial: "S7 KH", rotational: false };
    const one = chip(
      "nvme",
      [
        ["Composite", "40000"],
        ["Sensor 1", "50000"],
      ],
      { disk, slot: "4", place: "pci/a" },
    );
    const moved = chip("nvme", [["Composite", "40000"]], { disk, place: "pci/b" });
    const [composite, spot] = normalised(one);
    expect(composite).toMatchObject({
      id: "nvme:S7-KH/temp1",
      kind: "nvme",
      name: "Samsung SSD 990 PRO 2TB (slot 4, nvme1)",
      spot: false,
    });
    expect(spot).toMatchObject({
      id: "nvme:S7-KH/temp2",
      name: expect.stringMatching(/sensor 1$/),
      spot: true,
    });
    expect(normalised(moved)[0]?.id).toBe("nvme:S7-KH/temp1");
  });

  it("tell disks that turn from those that do not", () => {
    const disk = { device: "sda", model: "WDC", serial: null, rotational: true };
    expect(normalised(chip("drivetemp", [[null, "30000"]], { disk }))[0]?.kind).toBe("hdd");
    const ssd = { ...disk, rotational: false };
    expect(normalised(chip("drivetemp", [[null, "30000"]], { disk: ssd }))[0]?.kind).toBe("ssd");
  });

  it("number the sockets only where there are several", () => {
    const two = [0, 1].map((socket) =>
      chip(
        "k10temp",
        [
          ["Tctl", "50000"],
          ["Tccd1", "45000"],
        ],
        { place: `pci0000:00/0000:00:1${8 + socket}.3` },
      ),
    );
    expect(normalised(...two).map(({ name }) => name)).toEqual([
      "CPU 0",
      "CPU 0 die 1",
      "CPU 1",
      "CPU 1 die 1",
    ]);
    expect(normalised(coretemp("45000", "44000")).map(({ name }) => name)).toEqual(["CPU", "CPU core 0"]);
  });

  it("have ids of their own even when two chips claim one place, and say so", () => {
    const twins = [chip("twin", [[null, "1000"]]), chip("twin", [[null, "2000"]])];
    expect(normalised(...twins).map(({ id, value }) => [id, value])).toEqual([
      ["platform/twin.0/temp1", 1],
      ["platform/twin.0/temp1#2", 2],
    ]);
    expect(outline(twins.map(({ raw }) => raw)).duplicates).toEqual(["platform/twin.0/temp1"]);
  });

  it("have the same ids in whichever order the kernel lists the chips", () => {
    const chips = [acpi, soc, coretemp("1000", "2000"), nct([null, "1"])];
    const ids = (list: typeof chips) => normalised(...list).map(({ id }) => id);
    expect(ids(chips.toReversed())).toEqual(ids(chips));
  });

  it("are no more than a limit, which leaves out the rest and says how many", () => {
    const many = chip(
      "many",
      Array.from({ length: READINGS_MAX + 7 }, () => [null, "20000"] as const),
    );
    const outlines = outline([many.raw]);
    expect([outlines.list.length, outlines.left]).toEqual([READINGS_MAX, 7]);
  });

  it("have a time only with a value", () => {
    const [read, missing] = normalised(nct(["a", "1000"], ["b", null]));
    expect([read?.at, missing?.at]).toEqual([at, null]);
  });
});
