/** The short form of every scene of the lab. */
import { describe, expect, test } from "vitest";
import { whyNoNamespaces } from "../../lab/driver/namespaces.ts";
import { playScene } from "../../lab/play.ts";
import { SCENES } from "../../lab/scenes.ts";
import type { Line } from "../../lab/stage.ts";
import { transcriptLine } from "../../lab/transcript.ts";

const reason = whyNoNamespaces();

describe.skipIf(reason !== undefined && process.env.CI !== "true")(
  `the lab${reason === undefined ? "" : ` (${reason})`}`,
  () => {
    for (const scene of SCENES) {
      test(`${scene.name}: ${scene.summary}`, async () => {
        const lines: Line[] = [];
        const result = await playScene(scene, { short: true, emit: (line) => lines.push(line) });
        const failed = lines.filter((line) => line.kind === "check" && !line.ok);
        expect({ broke: result.broke, failed }, lines.map(transcriptLine).join("\n")).toEqual({
          broke: null,
          failed: [],
        });
        expect(lines.filter((line) => line.kind === "check").length).toBeGreaterThan(0);
      });
    }
  },
);
