import { afterEach, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/program.ts";
import type { WatchEvent } from "../../src/wire/rpc.ts";
import { createRig, healthy, type Rig } from "./cli-rig.ts";

const CLEAR = "\u001b[H\u001b[J";
let rig: Rig | undefined;
afterEach(() => rig?.close());

it("status --watch redraws on a terminal, within its width, with the last events below", async () => {
  let emit: (event: WatchEvent) => void = () => undefined;
  let asked = 0;
  rig = await createRig({
    status: async () => {
      asked += 1;
      return { ...healthy, epoch: asked };
    },
    watch: (given) => {
      emit = given;
      return () => undefined;
    },
  });
  const stop = new AbortController();
  let printed = "";
  const pictures = (): string[] => printed.split(CLEAR).slice(1);
  const ended = runCommandLine({
    args: ["status", "--watch"],
    operations: {} as never,
    out: {
      isTTY: true,
      columns: 60,
      write: (text: string) => {
        printed += text;
      },
    },
    err: { write: () => true },
    env: { NO_COLOR: "1", BALEFIRE_SOCKET: rig.socketPath },
    signal: stop.signal,
  });

  await expect.poll(() => pictures().length).toBeGreaterThan(0);
  expect(pictures()[0]).toContain("epoch 1");
  for (let index = 0; index < 20; index += 1) {
    emit({
      schema: 1,
      event: "warning",
      at: new Date().toISOString(),
      text: `number ${index} ${"word ".repeat(20)}`,
    });
  }
  await expect.poll(() => pictures().at(-1)).toContain("number 19");
  const last = pictures().at(-1) ?? "";
  expect(last.split("\n").length).toBeLessThan(24);
  expect(Math.max(...last.split("\n").map((line) => line.length))).toBeLessThanOrEqual(60);
  const before = asked;
  await expect.poll(() => asked, { timeout: 5000 }).toBeGreaterThan(before);
  stop.abort();
  expect(await ended).toBe(0);
});
