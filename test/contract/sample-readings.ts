/** Readings of a host with a few sensors, as its sources would give them. */
import type { Reading } from "../../src/core/thermal/reading.ts";

export const readingSample = (fields: Partial<Reading> = {}): Reading => ({
  id: "platform/coretemp.0/temp1",
  kind: "cpu-package",
  name: "CPU",
  unit: "celsius",
  value: 40,
  validity: "ok",
  limits: {},
  alarm: false,
  at: null,
  driver: "coretemp",
  label: "Package id 0",
  spot: false,
  ...fields,
});

/** A processor with one core, a drive with a spot, and a fan. */
export const hostSample = (cpu: number, nvme = 45, rpm = 1200): Reading[] => [
  readingSample({ value: cpu }),
  readingSample({
    id: "platform/coretemp.0/temp2",
    kind: "cpu-core",
    name: "CPU core 0",
    label: "Core 0",
    value: cpu,
  }),
  readingSample({
    id: "nvme:S1/temp1",
    kind: "nvme",
    name: "Samsung SSD 980 (nvme0)",
    driver: "nvme",
    label: "Composite",
    value: nvme,
  }),
  readingSample({
    id: "nvme:S1/temp2",
    kind: "nvme",
    name: "Samsung SSD 980 (nvme0) sensor 1",
    driver: "nvme",
    label: "Sensor 1",
    value: nvme + 30,
    spot: true,
  }),
  readingSample({
    id: "isa/nct6775.656/fan2",
    kind: "fan",
    name: "CPU_FAN (nct6798)",
    unit: "rpm",
    driver: "nct6798",
    label: "CPU_FAN",
    value: rpm,
  }),
];
