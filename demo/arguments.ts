import { parseArgs } from "node:util";
import type { Action } from "../lab/driver/mesh.ts";
import { failure, ok, type Result } from "../src/kit/result.ts";
import { parseDuration } from "../src/kit/time.ts";

export const NODES: readonly string[] = ["a", "b", "c"];

/** One scripted action; `atMs` counts from the moment the mesh is ready. */
export interface Step {
  readonly action: Action;
  readonly node: string;
  readonly atMs: number;
}

export interface DemoPlan {
  /** `live`: a person with keys. `script`: the steps, then the end. */
  readonly mode: "live" | "script" | "help";
  readonly json: boolean;
  /** Each node in a network namespace of its own, so that links can be cut. */
  readonly netns: boolean;
  readonly steps: readonly Step[];
  readonly forMs: number;
}

export const USAGE = `npm start                      a mesh of three real daemons on loopback, and keys to play with them
npm start -- --netns           each in a network namespace of its own (root), so that links can be cut
npm start -- --for 20s --kill b@5s --revive b@12s [--json]

  --for T            ends T after the mesh is ready
  --kill NODE@T      kill -9 at T               --revive NODE@T    starts it again
  --stop NODE@T      SIGTERM: says goodbye
  --freeze NODE@T    SIGSTOP                    --thaw NODE@T      SIGCONT
  --cut NODE@T       pulls its cable (--netns)  --restore NODE@T   puts it back
  --json             one JSON event a line on standard output; the rest goes to standard error

Nodes are a, b and c. Actions may be repeated. Exit code 0 when each death and each return was told.
`;

const ACTIONS = [
  "kill",
  "stop",
  "freeze",
  "thaw",
  "revive",
  "cut",
  "restore",
] as const satisfies readonly Action[];
const STEPS_MAX = 100;
const FOR_MS_MAX = 3_600_000;
/** How long a script without --for goes on after its last step: a hung daemon is told after 5 s. */
const AFTERMATH_MS = 8_000;
const DEFAULT_SCRIPT: readonly Step[] = [
  { action: "kill", node: "b", atMs: 5_000 },
  { action: "revive", node: "b", atMs: 12_000 },
];

/** What the words after `npm start --` ask for; without a terminal there is nobody to press keys, so a script plays. */
export function parseDemo(words: readonly string[], terminal: boolean): Result<DemoPlan> {
  const parsed = readWords(words);
  if (!parsed.ok) return parsed;
  const { values } = parsed.value;
  const json = values.json === true || !terminal;
  const netns = values.netns === true;
  const plan = { json, netns, steps: [], forMs: 0 };
  if (values.help === true) return ok({ ...plan, mode: "help" });

  const steps: Step[] = [];
  for (const action of ACTIONS) {
    for (const word of values[action] ?? []) {
      const step = parseStep(action, word);
      if (!step.ok) return step;
      steps.push(step.value);
    }
  }
  if (steps.length > STEPS_MAX) return usage(`${steps.length} actions: ${STEPS_MAX} at most`);
  if (!netns && steps.some((step) => step.action === "cut" || step.action === "restore")) {
    return usage("--cut and --restore need --netns (as root): loopback has no cable to pull");
  }
  const given = values.for === undefined ? undefined : parseDuration(values.for);
  if (values.for !== undefined && (given === undefined || given > FOR_MS_MAX)) {
    return usage(`--for ${values.for}: a duration such as 20s, one hour at most`);
  }
  if (steps.length === 0 && given === undefined && !json) return ok({ ...plan, mode: "live" });
  const played =
    steps.length === 0 && given === undefined ? DEFAULT_SCRIPT : steps.sort((a, b) => a.atMs - b.atMs);
  const forMs = given ?? (played.at(-1)?.atMs ?? 0) + AFTERMATH_MS;
  const late = played.find((step) => step.atMs > forMs);
  if (late !== undefined)
    return usage(`--${late.action} ${late.node}@${late.atMs}ms comes after the end (--for)`);
  return ok({ ...plan, mode: "script", steps: played, forMs });
}

const usage = (message: string): Result<never> => failure("usage", message, "npm start -- --help");

const MANY = { type: "string", multiple: true } as const;

function readWords(words: readonly string[]): Result<{ values: ReturnType<typeof parse>["values"] }> {
  try {
    return ok({ values: parse(words).values });
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

const parse = (words: readonly string[]) =>
  parseArgs({
    args: [...words],
    options: {
      for: { type: "string" },
      json: { type: "boolean" },
      netns: { type: "boolean" },
      help: { type: "boolean", short: "h" },
      kill: MANY,
      stop: MANY,
      freeze: MANY,
      thaw: MANY,
      revive: MANY,
      cut: MANY,
      restore: MANY,
    },
  });

function parseStep(action: Action, word: string): Result<Step> {
  const [node = "", time = "", ...rest] = word.split("@");
  const atMs = parseDuration(time);
  if (rest.length > 0 || atMs === undefined || atMs > FOR_MS_MAX) {
    return usage(`--${action} ${word}: write NODE@TIME, for example b@5s`);
  }
  if (!NODES.includes(node))
    return usage(`--${action} ${word}: no node ${node}; there are ${NODES.join(", ")}`);
  return ok({ action, node, atMs });
}
