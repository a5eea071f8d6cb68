/** `npm start`: three real daemons, one dies, a person is told. See `--help`. */
import { parseDemo, USAGE } from "./arguments.ts";
import { playLive } from "./live.ts";
import { playScript } from "./script.ts";
import { Stage } from "./stage.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const terminal = process.stdout.isTTY === true && process.stdin.isTTY === true;
const colour = terminal && (process.env.NO_COLOR ?? "") === "" && process.env.TERM !== "dumb";

async function main(): Promise<number> {
  const plan = parseDemo(process.argv.slice(2), terminal);
  if (!plan.ok) {
    process.stderr.write(`${plan.error.message}\n${plan.error.remedy ?? ""}\n`);
    return EXIT_USAGE;
  }
  const { mode, netns, steps, forMs, json } = plan.value;
  if (mode === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  const stage = await Stage.set(netns, (text) => process.stderr.write(`${text}\n`));
  try {
    if (mode === "script") return await playScript(stage, steps, forMs, json);
    await playLive(stage, netns, colour);
    return 0;
  } finally {
    await stage.close();
  }
}

const code = await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  return EXIT_FAILED;
});
// Whatever was not closed on the way of an error must not keep us here; leaving cleans it up.
process.exit(code);
