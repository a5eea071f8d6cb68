import { describe, expect, it } from "vitest";
import { busOf, placeOf } from "./places.ts";

describe("placeOf", () => {
  const adapters = new Map([["i2c-3", "SMBus I801 adapter at efa0"]]);
  const place = (path: string): string => placeOf(path, adapters);

  it.each([
    ["platform/coretemp.0", "platform/coretemp.0"],
    ["pci0000:00/0000:00:18.3", "pci0000:00/0000:00:18.3"],
    ["pci0000:00/0000:00:06.0/nvme/nvme3", "pci0000:00/0000:00:06.0/nvme"],
    ["pci0000:00/0000:00:1f.4/i2c-3/3-0050", "pci0000:00/0000:00:1f.4/i2c:smbus-i801-adapter-at-efa0/0050"],
    ["pci0000:00/0000:00:17.0/ata5/host4/target4:0:0/4:0:0:0", "pci0000:00/0000:00:17.0/ata5/scsi:0:0:0"],
    ["usb1/1-3/1-3:1.0/0003:1B1C:1C05.0005", "usb1/1-3/1-3:1.0/0003:1B1C:1C05"],
  ])("%s is %s", (path, expected) => {
    expect(place(path)).toBe(expected);
  });

  it("does not depend on numbers the kernel gives out in the order of probing", () => {
    expect(placeOf("p/i2c-9/9-0050", new Map([["i2c-9", "SMBus"]]))).toBe(
      placeOf("p/i2c-1/1-0050", new Map([["i2c-1", "SMBus"]])),
    );
    expect(place("ata1/host0/target0:0:0/0:0:0:0")).toBe(place("ata1/host7/target7:0:0/7:0:0:0"));
    expect(place("x/0003:1B1C:1C05.0005")).toBe(place("x/0003:1B1C:1C05.0011"));
  });
});

describe("busOf", () => {
  it.each([
    ["platform", "nct6775.656", { type: "isa", number: 0, address: 656 }],
    ["platform", "thinkpad_hwmon", { type: "isa", number: 0, address: 0 }],
    ["pci", "10000:e1:00.0", { type: "pci", number: 0, address: 0xe100 }],
    ["i2c", "9191-0290", { type: "isa", number: 0, address: 0x290 }],
    ["scsi", "10:0:1:2", { type: "scsi", number: 10, address: 0x12 }],
    ["hid", "0003:1B1C:1C05.000A", { type: "hid", number: 3, address: 10 }],
    ["mdio_bus", "r8169-0-2400:07", { type: "mdio", number: 0, address: 7 }],
    ["acpi", "ACPI000D:00", { type: "acpi", number: 0, address: 0 }],
    [undefined, "spi2.1", { type: "spi", number: 2, address: 1 }],
  ] as const)("puts %s %s on its bus", (subsystem, name, bus) => {
    expect(busOf(subsystem, name)).toEqual(bus);
  });

  it("knows no bus of a battery", () => {
    expect(busOf("power_supply", "BAT0")).toBeUndefined();
  });
});
