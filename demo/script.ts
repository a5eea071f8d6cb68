/** Plays the scripted actions at their times and prints what happens, for programs or for people. */
import { sleep } from "../lab/driver/clock.ts";
import type { Step } from "./arguments.ts";
import type { DemoEvent, Stage } from "./stage.ts";
import { actionText, logLine } from "./wording.ts";

/** Resolves with the exit code: 0 when each scripted death and each return was told. */
export async function playScript(
  stage: Stage,
  steps: readonly Step[],
  forMs: number,
  json: boolean,
): Promise<number> {
  stage.tell((event) => {
    process.stdout.write(json ? `${JSON.stringify({ schema: 1, ...event })}\n` : forPeople(event));
  });
  const failures: Error[] = [];
  const played = steps.map(async (step) => {
    await sleep(step.atMs - stage.nowMs);
    await stage.perform(step.action, step.node).catch((error: Error) => failures.push(error));
  });
  await Promise.all([...played, sleep(forMs - stage.nowMs)]);
  for (const error of failures) process.stderr.write(`${error.message}\n`);
  return stage.finish().ok && failures.length === 0 ? 0 : 1;
}

function forPeople(event: DemoEvent): string {
  const seconds = (event.atMs / 1000).toFixed(3).padStart(8);
  switch (event.event) {
    case "ready":
      return `${seconds}  ready: ${event.nodes.map((node) => `${node.name} on ${node.address}`).join(", ")}\n`;
    case "action":
      return `${seconds}  you      ${actionText(event.action, event.node)}\n`;
    case "done":
      return `${seconds}  ${event.ok ? "done: everything was told" : "done: NOT everything was told"}\n`;
    default: {
      const { who, text } = logLine(event);
      return `${seconds}  ${who.padEnd(8)} ${text}\n`;
    }
  }
}
