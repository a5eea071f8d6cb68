/** The short form of the lab's scenes, as tests: vitest shares out files among its workers, not tests. */
import { describe, expect, test } from "vitest";
import { whyNoNamespaces } from "../../lab/driver/namespaces.ts";
import { playScene } from "../../lab/play.ts";
import { SCENES } from "../../lab/scenes.ts";
import type { Line, Scene } from "../../lab/stage.ts";
import { transcriptLine } from "../../lab/transcript.ts";

/** As many as there are files lab-N.test.ts; lab-alone.test.ts has the rest. */
const SHARES = 4;

/** Every fourth scene from this one (0 to 3) on, of those that may be played beside others. */
export function playShare(share: number): void {
  const beside = SCENES.filter((scene) => scene.alone !== true);
  playAll(beside.filter((_, index) => index % SHARES === share));
}

export function playAlone(): void {
  playAll(SCENES.filter((scene) => scene.alone === true));
}

function playAll(scenes: readonly Scene[]): void {
  const reason = whyNoNamespaces();
  describe.skipIf(reason !== undefined && process.env.CI !== "true")(
    `the lab${reason === undefined ? "" : ` (${reason})`}`,
    () => {
      for (const scene of scenes) test(`${scene.name}: ${scene.summary}`, () => playAsTest(scene));
    },
  );
}

async function playAsTest(scene: Scene): Promise<void> {
  const lines: Line[] = [];
  const { broke } = await playScene(scene, { short: true, emit: (line) => lines.push(line) });
  const checks = lines.filter((line) => line.kind === "check");
  const failed = checks.filter(({ ok }) => !ok).map(transcriptLine);
  const whole = lines.map(transcriptLine).join("\n");
  expect(checks.length, broke ?? whole).toBeGreaterThan(0);
  if (broke !== null) throw new Error(`broke off: ${broke}\n${whole}`);
  if (failed.length > 0) throw new Error(`${failed.join("\n")}\nin\n${whole}`);
}
