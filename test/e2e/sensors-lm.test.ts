/** `--json-lm` against Debian's own `sensors -j`, on machines that are mounted over /sys. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it, test } from "vitest";
import { findChips } from "../../src/adapters/sensors/chips.ts";
import { dumpChips } from "../../src/adapters/sensors/lm-dump.ts";
import { createPatientReader } from "../../src/adapters/sensors/patient-reader.ts";
import { lmRules } from "../../src/wire/lm-config.ts";
import { type LmRules, lmSensorsJson, NO_RULES } from "../../src/wire/lm-sensors.ts";
import { MACHINES, sata } from "../fixtures/sysfs/machines.ts";
import { whyNoLmSensors, whyNoMounts, within } from "../fixtures/sysfs/namespace.ts";
import { buildTree, chipFolder, type Machine } from "../fixtures/sysfs/tree.ts";

const BALEFIRE = fileURLToPath(new URL("../../bin/balefire", import.meta.url));
const reason = whyNoMounts() ?? whyNoLmSensors();

const folder = mkdtempSync(join(tmpdir(), "balefire-lm-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function treeOf(machine: Machine): string {
  const root = mkdtempSync(join(folder, "m-"));
  buildTree(root, machine);
  return root;
}

async function ours(root: string, rules: LmRules = NO_RULES): Promise<string> {
  const patient = createPatientReader();
  const { chips } = await findChips({ root, patient });
  return lmSensorsJson(await dumpChips(chips, patient, () => false), rules);
}

test("under CI=true lm-sensors and mount namespaces must be usable", () => {
  if (process.env.CI === "true") expect(reason).toBeUndefined();
});

describe.skipIf(reason !== undefined)(`sensors -j${reason === undefined ? "" : ` (${reason})`}`, () => {
  it.each(Object.keys(MACHINES))("is the same to the byte on: %s", async (name) => {
    const root = treeOf(MACHINES[name] ?? { chips: [] });
    const theirs = within(root, "sensors -j -c /dev/null").stdout;
    expect(theirs.length).toBeGreaterThan(50);
    expect(await ours(root)).toBe(theirs);
  });

  it("is the same for a machine without sensors, down to the exit code", () => {
    const root = treeOf({ chips: [] });
    const theirs = within(root, "sensors -j");
    const mine = within(root, `${BALEFIRE} sensors --json-lm`);
    expect([mine.stdout, mine.status]).toEqual([theirs.stdout, theirs.status]);
    expect(mine.status).toBe(1);
  });

  it("is the same when a driver answers EIO, and when a file may not be read", () => {
    const chip = {
      name: "broken",
      device: "platform/broken.1",
      bus: "platform",
      channels: {
        fan1: { input: 1, min: 300 },
        temp1: { input: 21000, max: 1, crit: 90000 },
        in0: { input: 5 },
      },
    };
    const root = treeOf({ chips: [chip] });
    chmodSync(join(root, chipFolder(chip, 0), "temp1_max"), 0o200);
    // A process's memory at address 0 is never there: reading it is an I/O error.
    const broken = `for f in fan1_input in0_input; do mount --bind /proc/$$/mem "/sys/class/hwmon/hwmon0/$f"; done`;
    const theirs = within(root, `${broken}; sensors -j`);
    const mine = within(root, `${broken}; ${BALEFIRE} sensors --json-lm`);
    expect(theirs.stderr).toContain("fan1_input: I/O error");
    expect(theirs.stdout).not.toContain('"in0_input"');
    expect(mine.stdout).toBe(theirs.stdout);
    expect(mine.status).toBe(0);
  });

  it("follows the configuration that is installed: labels and computed values", () => {
    const root = treeOf(MACHINES["chips that sensors3.conf renames"] ?? { chips: [] });
    const theirs = within(root, "sensors -j");
    expect(theirs.stdout).toContain("+3.3V");
    expect(theirs.stdout).not.toBe(within(root, "sensors -j -c /dev/null").stdout);
    expect(within(root, `${BALEFIRE} sensors --json-lm`).stdout).toBe(theirs.stdout);
  });

  it("follows any configuration's labels, expressions, ignores, chip patterns and bus statements", async () => {
    const config = join(folder, "sensors.conf");
    writeFileSync(config, CONFIGURATION);
    for (const name of Object.keys(MACHINES)) {
      const root = treeOf(MACHINES[name] ?? { chips: [] });
      const theirs = within(root, `sensors -j -c ${config}`).stdout;
      expect(await ours(root, lmRules([CONFIGURATION])), name).toBe(theirs);
    }
  });

  it("leaves rotational disks asleep unless told otherwise, which is the only difference", () => {
    const disk = { block: "sda", host: 0, model: "WDC WD80", serial: "VAH1", rotational: true, input: 30000 };
    const root = treeOf(sata(disk));
    const theirs = within(root, "sensors -j").stdout;
    expect(within(root, `${BALEFIRE} sensors --json-lm --wake-disks`).stdout).toBe(theirs);
    const mine = within(root, `${BALEFIRE} sensors --json-lm`).stdout;
    expect(JSON.parse(mine)).toEqual({ "drivetemp-scsi-0-0": { Adapter: "SCSI adapter", temp1: {} } });
  });
});

const CONFIGURATION = `# comment
bus "i2c-7" "SMBus I801 adapter at efa0"
bus "i2c-8" "no such adapter"

chip "coretemp-isa-0001" "k10temp-pci-00cb"
  label temp1 "Second \\"socket\\"" # behind it
  ignore temp3
  ignore temp99

chip "*-pci-*"
  label temp3 "die # one"
  compute temp4 @ - 1.5 , @ + 1.5

chip "jc42-i2c-7-*"
  label temp1 "DIMM"
  compute temp1 -@/2 + 3*(2-1), @
chip "jc42-i2c-8-1a"
  label temp1 "never"
chip "*-i2c-*-40"
  label in1 twelve
  compute in1 @ * (1 + 34/51), @ / (1 + 34/51)
  compute curr1 @ + in1_input, @
  compute power1 1/0, @
  ignore energy1
chip "nct6798-*" \\
     "nothing-*"
  label in0 "Vcore"
  label in0 "second"
  compute in1 ^(\`(@)) * 2, @
  compute in7 in0_input * 10, @
  compute fan2 @ / no_such_thing, @
  ignore fan1
  set in0_min 3.3 * 0.9
  ignore temp7
chip "thinkpad-*" "BAT0-virtual-*" "*-virtual-0"
  ignore in0
chip "drivetemp-scsi-*-0"
  label temp1 "Disk"
chip "w83627thf-*"
  ignore in7
chip "*-spi-*-*" "*-hid-*-*"
  label temp1 "bus with numbers"
`;
