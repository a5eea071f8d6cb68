import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NVIDIA_SMI } from "../../../test/fixtures/sysfs/said.ts";
import { readingOf } from "../../core/thermal/said.ts";
import { instant, ms, wallTime } from "../../kit/time.ts";
import { createNvidiaSmi, gpusIn, NVIDIA_INTERVAL } from "./nvidia-smi.ts";

const at = (now: number) => ({ now: instant(now), wall: wallTime(1_800_000_000_000) });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "balefire-nvidia-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program of that name that does as the shell lines say, and leaves its arguments. */
function program(lines: string): void {
  const path = join(folder, "nvidia-smi");
  writeFileSync(path, `#!/bin/sh\necho "$@" >>"${folder}/asked"\n${lines}\n`);
  chmodSync(path, 0o755);
}
const asked = (): number => readFileSync(join(folder, "asked"), "utf8").trim().split("\n").length;

describe("recorded output", () => {
  const { said, unexpected } = gpusIn(NVIDIA_SMI, wallTime(1));

  it("is one GPU a line, with the sensors it has", () => {
    expect(
      said
        .map(readingOf)
        .map(({ id, name, value, unit }) => [id.replace(/GPU-(\w+)[-\w]+/, "$1"), name, value, unit]),
    ).toEqual([
      ["nvidia:5b0a4a2e/core", "NVIDIA GeForce RTX 3090 (00000000:01:00.0)", 45, "celsius"],
      ["nvidia:5b0a4a2e/fan", "NVIDIA GeForce RTX 3090 (00000000:01:00.0) fan", 30, "percent"],
      ["nvidia:5b0a4a2e/power", "NVIDIA GeForce RTX 3090 (00000000:01:00.0) power", 24.51, "watt"],
      ["nvidia:0c1d2e3f/core", "Tesla T4 (00000000:81:00.0)", 38, "celsius"],
      ["nvidia:0c1d2e3f/power", "Tesla T4 (00000000:81:00.0) power", 9.94, "watt"],
      ["nvidia:aaaa0000/core", "NVIDIA A100-PCIE-40GB (00000000:c1:00.0)", null, "celsius"],
      ["nvidia:aaaa0000/memory", "NVIDIA A100-PCIE-40GB (00000000:c1:00.0) memory", null, "celsius"],
      ["nvidia:aaaa0000/power", "NVIDIA A100-PCIE-40GB (00000000:c1:00.0) power", null, "watt"],
    ]);
  });

  it("has what was not understood beside it, with a sample", () => {
    expect(unexpected[0]).toEqual({
      source: "nvidia-smi",
      what: "a value that is no number",
      sample: expect.stringContaining("[GPU is lost]"),
    });
    const noise = gpusIn(
      "NVIDIA-SMI has failed because it couldn't communicate with the driver.\n",
      wallTime(1),
    );
    expect(noise).toMatchObject({ said: [], unexpected: [{ what: "a line that is no GPU" }] });
  });
});

describe("the reader", () => {
  it("is silent where there is no such program", async () => {
    const reader = createNvidiaSmi({ path: `${folder}:relative:` });
    expect(await reader.read(at(0))).toEqual({ said: [], unexpected: [] });
  });

  it("asks the program once a minute, and gives the same list until then", async () => {
    program(`cat <<'END'\n${NVIDIA_SMI}END`);
    const reader = createNvidiaSmi({ path: `/nonexistent:${folder}` });
    const first = await reader.read(at(0));
    expect(first.said).toHaveLength(8);
    const second = await reader.read(at(NVIDIA_INTERVAL - 1));
    expect(second.said).toBe(first.said);
    expect(second.unexpected).toEqual([]);
    expect(asked()).toBe(1);
    await reader.read(at(NVIDIA_INTERVAL));
    expect(asked()).toBe(2);
  });

  it("waits no longer than its timeout, and starts no second one beside one that hangs", async () => {
    program("exec sleep 600");
    const reader = createNvidiaSmi({ path: folder, timeout: ms(50) });
    const began = performance.now();
    expect(await reader.read(at(0))).toMatchObject({ said: [], unexpected: [{ what: "does not answer" }] });
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it("says that a program fails, and keeps nothing of it", async () => {
    program("echo 'GPU-1, x, y, 1, 2, 3, 4'; exit 9");
    const reader = createNvidiaSmi({ path: folder });
    expect(await reader.read(at(0))).toMatchObject({ said: [], unexpected: [{ what: "does not answer" }] });
    expect(existsSync(join(folder, "asked"))).toBe(true);
  });

  it("reads no more output than any machine has", async () => {
    program("yes GPU-1");
    const reader = createNvidiaSmi({ path: folder, timeout: ms(2000) });
    expect(await reader.read(at(0))).toMatchObject({ said: [] });
  });
});
