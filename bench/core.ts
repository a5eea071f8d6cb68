/**
 * `npm run bench:core`: what the decisions cost, without sockets, disks and keys. Prints one JSON
 * line a size, then a table.
 */
import { CoreMesh, type Purpose, type Traffic } from "./core-mesh.ts";
import { readWords } from "./words.ts";

const USAGE = `npm run bench:core -- [--nodes 3,10,33,100,1000] [--no-targets]

Exit code 1 when watching costs a node of 100 more than RATIO_MAX times what it costs a node of 33.
`;
const NODES_MAX = 2000;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** Sessions stand and every node has been heard by then. */
const SETTLE_MS = 8_000;
/** As long as the rarest message's period. */
const WINDOW_MS = 30_000;
const AFTERMATH_MS = 2_500;
/** In larger meshes the news of a death, passed on from neighbour to neighbour, takes too long to play. */
const DEATH_NODES_MAX = 400;
/** By then tables are known, and what spreads by gossip has made its rounds. */
const SENSE_SETTLE_MS = 120_000;
const SENSE_WINDOW_MS = 60_000;
/** Larger meshes than one is meant to be take too long here. */
const SENSE_NODES_MAX = 100;
/** Watching, at n = 100 over n = 33: messages and bytes a node and second. */
const RATIO_MAX = 1.1;

interface Report {
  readonly nodes: number;
  readonly sessionsANode: number;
  readonly stepsPerSecond: number;
  readonly microsecondsAStep: number;
  /** While nothing happens, sent by a node in a second. */
  readonly watching: Traffic;
  /** Sent by a node for one death, from the first news to the last; null = too many nodes. */
  readonly ledgerADeath: Traffic | null;
  readonly watchingADeath: Traffic | null;
  readonly toldMs: number | null;
  /** Sent by a node for one new roster, and how long until the last node had it. */
  readonly roster: Traffic;
  readonly rosterMs: number | null;
  /** Sent by a node in a second while each reads forty sensors every ten seconds; null = too many nodes. */
  readonly readings: Traffic | null;
  /** Of all hosts' readings on all nodes: how old they are then, in seconds. */
  readonly readingsAge: { readonly mean: number; readonly max: number } | null;
  readonly tookMs: number;
}

const shareOf = (traffic: Traffic, parts: number): Traffic => ({
  messages: traffic.messages / parts,
  bytes: traffic.bytes / parts,
});

async function measure(nodes: number): Promise<Report> {
  const begun = performance.now();
  const mesh = new CoreMesh(nodes);
  await mesh.pass(SETTLE_MS);
  const sessionsANode = (2 * mesh.sessions) / nodes;
  mesh.reset();
  await mesh.pass(WINDOW_MS);
  const watching = shareOf(mesh.of("watching"), (nodes * WINDOW_MS) / 1000);
  const rest = (["ledger", "roster", "other"] as const).map((purpose: Purpose) => mesh.of(purpose).messages);
  if (rest.some((messages) => messages > 0)) throw new Error(`not at rest: ${rest.join(", ")}`);
  const stepMs = mesh.stepping / mesh.steps;

  const roster = await spreadRoster(mesh, nodes);
  const death = nodes > DEATH_NODES_MAX ? NO_DEATH : await oneDeath(mesh, nodes, watching);
  const sensed = nodes > SENSE_NODES_MAX ? { readings: null, readingsAge: null } : await senseAll(nodes);
  return {
    nodes,
    sessionsANode,
    stepsPerSecond: Math.round(1000 / stepMs),
    microsecondsAStep: 1000 * stepMs,
    watching,
    ...roster,
    ...death,
    ...sensed,
    tookMs: Math.round(performance.now() - begun),
  };
}

async function spreadRoster(mesh: CoreMesh, nodes: number): Promise<Pick<Report, "roster" | "rosterMs">> {
  mesh.reset();
  const from = mesh.timeline.now;
  mesh.renewRoster();
  let rosterMs: number | null = null;
  while (mesh.timeline.now < from + AFTERMATH_MS) {
    await mesh.pass(1);
    if (rosterMs === null && mesh.informed === nodes) rosterMs = mesh.timeline.now - from;
  }
  return { roster: shareOf(mesh.of("roster"), nodes), rosterMs };
}

type Death = Pick<Report, "ledgerADeath" | "watchingADeath" | "toldMs">;

const NO_DEATH: Death = { ledgerADeath: null, watchingADeath: null, toldMs: null };

async function oneDeath(mesh: CoreMesh, nodes: number, atRest: Traffic): Promise<Death> {
  mesh.reset();
  const from = mesh.timeline.now;
  mesh.end(nodes - 1);
  await mesh.pass(AFTERMATH_MS);
  const watching = shareOf(mesh.of("watching"), nodes);
  const told = mesh.told.find(({ at }) => at >= from);
  return {
    ledgerADeath: shareOf(mesh.of("ledger"), nodes),
    watchingADeath: {
      messages: watching.messages - (atRest.messages * AFTERMATH_MS) / 1000,
      bytes: watching.bytes - (atRest.bytes * AFTERMATH_MS) / 1000,
    },
    toldMs: told === undefined ? null : told.at - from,
  };
}

async function senseAll(nodes: number): Promise<Pick<Report, "readings" | "readingsAge">> {
  const mesh = new CoreMesh(nodes);
  await mesh.pass(SETTLE_MS);
  mesh.sense();
  await mesh.pass(SENSE_SETTLE_MS);
  mesh.reset();
  await mesh.pass(SENSE_WINDOW_MS);
  const readings = shareOf(mesh.of("readings"), (nodes * SENSE_WINDOW_MS) / 1000);
  return { readings, readingsAge: mesh.readingsAge() };
}

const COLUMNS: readonly (readonly [string, (report: Report) => string])[] = [
  ["n", ({ nodes }) => String(nodes)],
  ["sessions", ({ sessionsANode }) => sessionsANode.toFixed(0)],
  ["steps/s", ({ stepsPerSecond }) => String(stepsPerSecond)],
  ["watching msg/s", ({ watching }) => watching.messages.toFixed(1)],
  ["bytes/s", ({ watching }) => watching.bytes.toFixed(0)],
  ["ledger msg/death", ({ ledgerADeath }) => ledgerADeath?.messages.toFixed(1) ?? "-"],
  ["bytes", ({ ledgerADeath }) => ledgerADeath?.bytes.toFixed(0) ?? "-"],
  ["told ms", ({ toldMs, ledgerADeath }) => toldMs?.toFixed(0) ?? (ledgerADeath === null ? "-" : "never")],
  ["roster msg/epoch", ({ roster }) => roster.messages.toFixed(1)],
  ["bytes", ({ roster }) => roster.bytes.toFixed(0)],
  ["all have it ms", ({ rosterMs }) => rosterMs?.toFixed(0) ?? "never"],
  ["readings msg/s", ({ readings }) => readings?.messages.toFixed(2) ?? "-"],
  ["bytes/s", ({ readings }) => readings?.bytes.toFixed(0) ?? "-"],
  ["age s", ({ readingsAge }) => readingsAge?.mean.toFixed(0) ?? "-"],
  ["oldest", ({ readingsAge }) => readingsAge?.max.toFixed(0) ?? "-"],
];

function renderTable(reports: readonly Report[]): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...reports.map((each) => COLUMNS.map(([, cell]) => cell(each))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) => row.map((cell, at) => cell.padStart(widths[at] ?? 0)).join("  ")).join("\n");
}

/** Undefined when one of the two sizes was not measured. */
function growth(reports: readonly Report[]): { messages: number; bytes: number } | undefined {
  const at = (nodes: number) => reports.find((report) => report.nodes === nodes)?.watching;
  const [small, large] = [at(33), at(100)];
  if (small === undefined || large === undefined) return undefined;
  return { messages: large.messages / small.messages, bytes: large.bytes / small.bytes };
}

async function main(): Promise<number> {
  const values = readWords({
    nodes: { type: "string", default: "3,10,33,100,1000" },
    targets: { type: "boolean", default: true },
  });
  const sizes = (values?.nodes ?? "").split(",").map(Number);
  if (
    values === undefined ||
    !sizes.every((size) => Number.isInteger(size) && size >= 2 && size <= NODES_MAX)
  ) {
    process.stderr.write(USAGE.replace("RATIO_MAX", String(RATIO_MAX)));
    return EXIT_USAGE;
  }
  const reports: Report[] = [];
  for (const size of sizes) {
    const report = await measure(size);
    reports.push(report);
    process.stdout.write(`${JSON.stringify({ schema: 1, event: "core", ...report })}\n`);
  }
  console.log(`\n${renderTable(reports)}`);
  const grown = growth(reports);
  if (grown === undefined) return 0;
  console.log(
    `watching, n = 100 over n = 33: ${grown.messages.toFixed(3)} × the messages, ${grown.bytes.toFixed(3)} × the bytes (target ${RATIO_MAX})`,
  );
  const met = grown.messages <= RATIO_MAX && grown.bytes <= RATIO_MAX;
  return met || !values.targets ? 0 : EXIT_FAILED;
}

process.exitCode = await main();
