/** `npm run lab`: real daemons in network namespaces; links are cut, packets dropped, processes killed. */
import { parseArgs } from "node:util";
import { NODES_MAX, whyNoNamespaces } from "./driver/namespaces.ts";
import { playScene, type SceneResult } from "./play.ts";
import { SCENES } from "./scenes.ts";
import type { Line, Scene } from "./stage.ts";
import { transcriptLine } from "./transcript.ts";

const USAGE = `npm run lab -- SCENE… [--nodes N] [--short] [--json]
npm run lab -- all
npm run lab -- --list

Needs root, iproute2 and nftables. Exit code 0 when every scene passed.
`;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: "string" },
    short: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

const print = (line: object): void => {
  process.stdout.write(`${JSON.stringify({ schema: 1, ...line })}\n`);
};

function show(scene: string, line: Line): void {
  if (values.json) print({ event: line.kind, scene, ...line });
  else console.log(transcriptLine(line));
}

function showResult(result: SceneResult): void {
  if (values.json) {
    print({ event: "result", ...result });
    return;
  }
  const { broke, passed, scene, nodes, tookMs } = result;
  if (broke !== null) console.log(`broke off: ${broke}`);
  console.log(`${passed ? "PASS" : "FAIL"}  ${scene} (${nodes} nodes, ${(tookMs / 1000).toFixed(1)} s)\n`);
}

async function play(scenes: readonly Scene[], nodes: number | undefined): Promise<number> {
  const reason = whyNoNamespaces();
  if (reason !== undefined) {
    console.error(`The lab cannot run: ${reason}.`);
    return EXIT_FAILED;
  }
  const failed: string[] = [];
  for (const scene of scenes) {
    if (!values.json) console.log(`${scene.name}: ${scene.summary}`);
    for (const size of sizes(scene, nodes)) {
      const result = await playScene(scene, {
        short: values.short,
        emit: (line) => show(scene.name, line),
        progress: (words) => process.stderr.write(`  ${words}\n`),
        nodes: size,
      });
      showResult(result);
      if (!result.passed) failed.push(`${scene.name} (${result.nodes} nodes)`);
    }
  }
  if (scenes.length > 1 && !values.json) {
    console.log(failed.length === 0 ? `all ${scenes.length} scenes passed` : `failed: ${failed.join(", ")}`);
  }
  return failed.length === 0 ? 0 : EXIT_FAILED;
}

function sizes({ nodes: { usual, full } }: Scene, wanted: number | undefined): readonly number[] {
  if (wanted !== undefined) return [wanted];
  return values.short ? [usual] : (full ?? [usual]);
}

async function main(): Promise<number> {
  if (values.help) console.log(USAGE);
  else if (values.list && values.json)
    print({ event: "list", scenes: SCENES.map(({ name, summary }) => ({ name, summary })) });
  else if (values.list) for (const { name, summary } of SCENES) console.log(`${name.padEnd(15)} ${summary}`);
  if (values.help || values.list) return 0;
  const wanted = positionals.includes("all") ? SCENES.map(({ name }) => name) : positionals;
  const unknown = wanted.filter((name) => !SCENES.some((scene) => scene.name === name));
  const nodes = values.nodes === undefined ? undefined : Number(values.nodes);
  const badNodes = nodes !== undefined && (!Number.isInteger(nodes) || nodes < 2 || nodes > NODES_MAX);
  if (wanted.length === 0 || unknown.length > 0 || badNodes) {
    if (unknown.length > 0) console.error(`no scene ${unknown.join(", ")}; see --list`);
    if (badNodes) console.error(`--nodes ${values.nodes}: 2 to ${NODES_MAX}`);
    console.error(USAGE);
    return EXIT_USAGE;
  }
  return play(
    SCENES.filter(({ name }) => wanted.includes(name)),
    nodes,
  );
}

// Whatever was not closed on the way of an error must not keep us here; leaving cleans it up.
process.exit(await main());
