import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Said } from "../core/thermal/said.ts";
import { instant, ms, wallTime } from "../kit/time.ts";
import type { ExtraPass, ExtraSensors } from "../ports/sensors.ts";
import { EXTRA_PATIENCE, EXTRA_SILENCE, unhurried } from "./unhurried.ts";

const said: Said = {
  id: "nvidia:GPU-1/core",
  kind: "gpu",
  name: "GPU",
  unit: "celsius",
  driver: "nvidia-smi",
  label: "core",
  value: 50,
  idle: false,
  limits: {},
  at: wallTime(0),
};

/** Answers when it is told to. */
function slow() {
  const waiting: ((pass: ExtraPass) => void)[] = [];
  const extra: ExtraSensors = { read: () => new Promise((resolve) => waiting.push(resolve)) };
  return { extra, waiting };
}
const at = (milliseconds: number) => ({ now: instant(milliseconds), wall: wallTime(milliseconds) });

describe("a program that takes its time", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("holds up no pass: its last word stands in, and it is not asked twice at once", async () => {
    const { extra, waiting } = slow();
    const patient = unhurried(extra, "nvidia-smi");
    const first = patient.read(at(0));
    await vi.advanceTimersByTimeAsync(EXTRA_PATIENCE);
    expect(await first).toEqual({ said: [], unexpected: [] });
    const second = patient.read(at(10_000));
    waiting[0]?.({ said: [said], unexpected: [{ source: "nvidia-smi", what: "odd", sample: "?" }] });
    expect((await second).said).toEqual([said]);
    expect(waiting).toHaveLength(1);
    const third = patient.read(at(20_000));
    await vi.advanceTimersByTimeAsync(EXTRA_PATIENCE);
    expect(await third).toEqual({ said: [said], unexpected: [] });
  });

  it("is believed no longer when it has been silent for a minute, which is said once", async () => {
    const { extra, waiting } = slow();
    const patient = unhurried(extra, "nvidia-smi", ms(10));
    const read = async (milliseconds: number) => {
      const pass = patient.read(at(milliseconds));
      await vi.advanceTimersByTimeAsync(10);
      return pass;
    };
    await read(0);
    waiting[0]?.({ said: [said], unexpected: [] });
    await vi.advanceTimersByTimeAsync(0);
    expect((await read(1000)).said).toEqual([said]);
    const late = await read(1000 + EXTRA_SILENCE);
    expect(late).toEqual({
      said: [],
      unexpected: [{ source: "nvidia-smi", what: "does not answer", sample: "" }],
    });
    expect(await read(2000 + EXTRA_SILENCE)).toEqual({ said: [], unexpected: [] });
  });
});
