/** The verbs, their options, and how a command line ends. Each command is loaded when it is used. */
import { resolve } from "node:path";
import { Argument, Command, CommanderError, Option, type OutputConfiguration } from "commander";
import { collect, type MuteOptions } from "./arguments.ts";
import type { BlackBoxGiven } from "./blackbox.ts";
import { completionScript, SHELLS, type Shell } from "./completion.ts";
import { type Action, type Context, type Go, refuse } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import type { HistoryGiven } from "./history.ts";
import { addCertVerbs, addCrlVerbs, addNodeVerbs } from "./key-verbs.ts";
import { addKeymasterVerbs } from "./keymaster-verbs.ts";
import type { Operations } from "./operations.ts";
import { addRecoveryVerbs, addRootVerbs } from "./root-verbs.ts";
import { createScreen, type Stream } from "./screen.ts";
import type { TempsGiven } from "./temps.ts";

export const STATE_DIR_DEFAULT: string = "/var/lib/balefire";
export const CONFIG_DEFAULT: string = "/etc/balefire/config.yaml";
export const SOCKET_DEFAULT: string = "/run/balefire/balefire.sock";

export interface CommandLine {
  /** Without the program's own name. */
  readonly args: readonly string[];
  readonly operations: Operations;
  readonly out: Stream;
  readonly err: Stream;
  readonly env: NodeJS.ProcessEnv;
  /** Ends what goes on until someone ends it (`status --watch`). */
  readonly signal: AbortSignal;
}

interface GlobalOptions {
  readonly stateDir?: string;
  readonly config?: string;
  readonly socket?: string;
  readonly json?: boolean;
}

/** Runs one command line to its exit code. */
export async function runCommandLine(line: CommandLine): Promise<number> {
  const screen = createScreen(line.out, line.err, line.env);
  let exit: number = EXIT.ok;
  const program = createProgram(async (options, action) => {
    exit = await action(contextOf(line, screen, options));
  }, line.signal);
  // Commander's complaint is printed below, once, in the form that was asked for.
  let complaint = "";
  configure(program, {
    writeOut: (text) => void line.out.write(text),
    writeErr: (text) => void line.err.write(text),
    outputError: (text) => {
      complaint = text;
    },
  });
  try {
    await program.parseAsync(line.args, { from: "user" });
    return exit;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.ok;
    if (complaint === "") return EXIT.usage;
    const json = line.args.slice(0, indexOrEnd(line.args, "--")).includes("--json");
    return refuse({ screen, json }, usageFailure(complaint));
  }
}

const indexOrEnd = (args: readonly string[], word: string): number =>
  args.includes(word) ? args.indexOf(word) : args.length;

/** `error: unknown command 'statsu'\n(Did you mean status?)`: the guess is the remedy. */
function usageFailure(complaint: string): { code: "usage"; message: string; remedy: string; retry: false } {
  const [first = "", ...rest] = complaint
    .replace(/^error: /, "")
    .trim()
    .split("\n");
  const guess = rest.join(" ").replace(/^\(|\)$/g, "");
  return {
    code: "usage",
    message: first,
    remedy: guess === "" ? "See balefire --help." : guess,
    retry: false,
  };
}

function configure(command: Command, output: OutputConfiguration): void {
  command.exitOverride().configureOutput(output).configureHelp({ showGlobalOptions: true });
  for (const below of command.commands) configure(below, output);
}

function contextOf(line: CommandLine, screen: Context["screen"], options: GlobalOptions): Context {
  const named = (option: string | undefined, variable: string): string | undefined =>
    option ?? (line.env[variable] === "" ? undefined : line.env[variable]);
  const config = named(options.config, "BALEFIRE_CONFIG");
  return {
    operations: line.operations,
    screen,
    env: line.env,
    json: options.json === true,
    stateDir: resolve(named(options.stateDir, "BALEFIRE_STATE_DIR") ?? STATE_DIR_DEFAULT),
    configPath: resolve(config ?? CONFIG_DEFAULT),
    configRequired: config !== undefined,
    socketPath: resolve(named(options.socket, "BALEFIRE_SOCKET") ?? SOCKET_DEFAULT),
  };
}

type Start = (options: GlobalOptions, action: Action) => Promise<void>;

function createProgram(start: Start, signal: AbortSignal): Command {
  const program = new Command("balefire")
    .description("Watches the other hosts and tells a person when one goes dark.")
    .option("--state-dir <dir>", `state (BALEFIRE_STATE_DIR; ${STATE_DIR_DEFAULT})`)
    .option("--config <file>", `configuration (BALEFIRE_CONFIG; ${CONFIG_DEFAULT})`)
    .option("--socket <path>", `control socket (BALEFIRE_SOCKET; ${SOCKET_DEFAULT})`)
    .option("--json", "print one JSON document instead of text")
    .addHelpText("after", "\nExit codes: 0 ok, 1 failed, 2 wrong usage, 3 degraded, 4 no daemon reached.");
  const go = (action: Action): Promise<void> => start(program.opts<GlobalOptions>(), action);
  addMeshVerbs(program, go);
  addViewVerbs(program, go, signal);
  addHeatVerbs(program, go, signal);
  addMuteVerbs(program, go);
  addCertVerbs(program.command("certs").description("the nodes' certificates"), go);
  addCrlVerbs(program.command("crl").description("revocation lists for other tools"), go);
  addRecoveryVerbs(program.command("recovery").description("the code that opens the sealed root key"), go);
  addKeymasterVerbs(program.command("keymaster").description("who signs, and who may take over"), go);
  addRootVerbs(program.command("root").description("the root key, and its replacement"), go);
  addNodeVerbs(program.command("node").description("who is in the mesh, on the keymaster"), go);
  addTokenVerbs(program.command("token").description("join tokens, on the keymaster"), go);
  addNotifyVerbs(program.command("notify").description("the ways to reach a person"), go);
  addConfigVerbs(program.command("config").description("the configuration"), go);
  addOwnVerbs(program, go);
  return program;
}

const addressOption = (): Option =>
  new Option("--address <IP[:PORT]>", "where the other nodes reach this one; may be repeated")
    .argParser(collect)
    .makeOptionMandatory();

function addMeshVerbs(program: Command, go: Go): void {
  program
    .command("init")
    .description("make a mesh, with this host as its first node and keymaster")
    .requiredOption("--name <name>", "name of this node")
    .addOption(addressOption())
    .action((given: { name: string; address: string[] }) =>
      go(async (context) => (await import("./init.ts")).init(context, given)),
    );
  program
    .command("join")
    .description("make this host a node of an existing mesh")
    .argument("<token>", "the line `balefire token create` printed; - reads it from standard input")
    .option("--via <IP[:PORT]>", "a node to join through")
    .addOption(addressOption())
    .action((token: string, given: { via?: string; address: string[] }) =>
      go(async (context) =>
        (await import("./join.ts")).join(context, { token, via: given.via, address: given.address }),
      ),
    );
  program
    .command("run")
    .description("run the daemon in the foreground")
    .action(() => go(async (context) => (await import("./run.ts")).run(context)));
}

function addViewVerbs(program: Command, go: Go, signal: AbortSignal): void {
  program
    .command("status")
    .description("what this node sees, and how sure it is")
    .option("--watch", "keep showing it until interrupted")
    .action((given: { watch?: boolean }) =>
      go(async (context) =>
        given.watch === true
          ? (await import("./status-watch.ts")).statusWatch(context, signal)
          : (await import("./status.ts")).status(context),
      ),
    );
  program
    .command("nodes")
    .description("all nodes with identities and addresses")
    .option("--names", "only their names, one a line")
    .action((given: { names?: boolean }) =>
      go(async (context) => (await import("./nodes.ts")).nodes(context, given.names === true)),
    );
  program
    .command("incidents")
    .description("what happened, the evidence, and who was told")
    .action(() => go(async (context) => (await import("./incidents.ts")).incidents(context)));
  program
    .command("inbox")
    .description("the messages of the built-in channel")
    .action(() => go(async (context) => (await import("./inbox.ts")).inbox(context)));
  program
    .command("sensors")
    .description("this host's own temperatures, fans, voltages; without a daemon")
    .option("--json-lm", "print what `sensors -j` of lm-sensors prints")
    .option("--sysfs-root <dir>", "another tree than /sys (BALEFIRE_SENSORS_SYSFS_ROOT)")
    .option("--wake-disks", "with --json-lm: ask rotational disks too, which wakes those that sleep")
    .action((given: { jsonLm?: boolean; sysfsRoot?: string; wakeDisks?: boolean }) =>
      go(async (context) => (await import("./sensors.ts")).sensors(context, given)),
    );
  program
    .command("doctor")
    .description("look for trouble, and say what to do about it")
    .action(() => go(async (context) => (await import("./doctor.ts")).doctor(context)));
}

function addHeatVerbs(program: Command, go: Go, signal: AbortSignal): void {
  program
    .command("temps")
    .description("temperatures and fans of all hosts, with the last ten minutes")
    .argument("[node]", "only this one, with all its sensors")
    .option("--watch", "keep showing them until interrupted")
    .option("--celsius", "in degrees Celsius (always so without --fahrenheit)")
    .option("--fahrenheit", "in degrees Fahrenheit; --json stays in Celsius")
    .action((node: string | undefined, given: TempsGiven) =>
      go(async (context) => (await import("./temps.ts")).temps(context, node, given, signal)),
    );
  program
    .command("blackbox")
    .description("what a host felt in the ten minutes before it fell silent")
    .argument("<node>", "its name")
    .option("--at <time>", "the ten minutes before then: -2h, 2026-03-01T02:13:00Z")
    .option("--csv", "print every look as comma-separated values")
    .action((node: string, given: BlackBoxGiven) =>
      go(async (context) => (await import("./blackbox.ts")).blackbox(context, node, given)),
    );
  program
    .command("history")
    .description("what a sensor measured, as far back as this node has kept it")
    .argument("<sensor>", "its id or name, or a part that no other has")
    .option("--node <node>", "another host's sensor")
    .option("--from <time>", "-2h, 2026-03-01T02:13:00Z; a day before the end without it")
    .option("--to <time>", "now without it")
    .option("--step <duration>", "length of one step: 1m, 15m, 1d")
    .option("--csv", "print comma-separated values")
    .action((sensor: string, given: HistoryGiven) =>
      go(async (context) => (await import("./history.ts")).history(context, sensor, given)),
    );
}

const forOption = (): Option =>
  new Option("--for <duration>", "how long, such as 2h; without it until you end it");
const whyOption = (): Option => new Option("--why <text>", "shown to others in lists and in status");

function addMuteVerbs(program: Command, go: Go): void {
  const maintenance = program
    .command("maintenance")
    .description("nodes that are being worked on: nobody is told of what happens to them");
  maintenance
    .command("on")
    .description("hold back messages about a node; what is still wrong when it ends is told then")
    .argument("<node>", "its name, from `balefire nodes`")
    .addOption(forOption())
    .addOption(whyOption())
    .action((node: string, given: MuteOptions) =>
      go(async (context) => (await import("./maintenance.ts")).maintenanceOn(context, node, given)),
    );
  maintenance
    .command("off")
    .description("end it: what is wrong with the node now is told")
    .argument("<node>", "its name")
    .action((node: string) =>
      go(async (context) => (await import("./maintenance.ts")).maintenanceOff(context, node)),
    );
  maintenance
    .command("list")
    .description("the nodes in maintenance, until when, by whom and why")
    .action(() => go(async (context) => (await import("./maintenance.ts")).maintenanceList(context)));
  addSilenceVerbs(program.command("silence").description("messages that nobody wants for a while"), go);
}

function addSilenceVerbs(silence: Command, go: Go): void {
  silence
    .command("add")
    .description("hold back messages; what is still wrong when it ends is told then")
    .argument(
      "<matcher...>",
      "all, or one or more of node=pve* kind=link-problem severity=warning (this and milder); all of them must fit",
    )
    .addOption(forOption())
    .addOption(whyOption())
    .action((words: string[], given: MuteOptions) =>
      go(async (context) => (await import("./silence.ts")).silenceAdd(context, words, given)),
    );
  silence
    .command("list")
    .description("the silences in force, with their ids")
    .action(() => go(async (context) => (await import("./silence.ts")).silenceList(context)));
  silence
    .command("remove")
    .description("end a silence: what it held back and is still wrong is told")
    .argument("<id>", "from `balefire silence list`")
    .action((id: string) => go(async (context) => (await import("./silence.ts")).silenceRemove(context, id)));
}

function addTokenVerbs(token: Command, go: Go): void {
  token
    .command("create")
    .description("a one-line token with which one host may join, once")
    .argument("<name>", "of the node that will join")
    .option("--expires <duration>", "how long it may be used", "1h")
    .action((node: string, given: { expires: string }) =>
      go(async (context) => (await import("./token.ts")).tokenCreate(context, node, given.expires)),
    );
  token
    .command("list")
    .description("all tokens and what became of them")
    .action(() => go(async (context) => (await import("./token.ts")).tokenList(context)));
  token
    .command("revoke")
    .description("make a token useless")
    .argument("<id>", "from `balefire token list`")
    .action((id: string) => go(async (context) => (await import("./token.ts")).tokenRevoke(context, id)));
}

function addNotifyVerbs(notify: Command, go: Go): void {
  notify
    .command("test")
    .description("send a test message the way real ones go; shows the receiver's reply")
    .argument("[channel]", "only this one; all of them without")
    .action((channel: string | undefined) =>
      go(async (context) => (await import("./notify.ts")).notifyTest(context, channel)),
    );
  notify
    .command("list")
    .description("all channels and when they last worked")
    .action(() => go(async (context) => (await import("./notify.ts")).notifyList(context)));
}

function addConfigVerbs(config: Command, go: Go): void {
  config
    .command("check")
    .description("find what is wrong in a configuration file")
    .argument("[file]", "instead of the one this node uses")
    .action((file: string | undefined) =>
      go(async (context) => (await import("./config-check.ts")).configCheck(context, file)),
    );
  config
    .command("show")
    .description("what this node runs with, and where each setting comes from")
    .option("--effective", "defaults, file, shared settings and environment together (always so)")
    .action(() => go(async (context) => (await import("./config-show.ts")).configShow(context)));
  config
    .command("apply")
    .description("share settings with the whole mesh, through the keymaster")
    .argument("<file>", "channels, policy and mesh settings")
    .action((file: string) =>
      go(async (context) => (await import("./config-apply.ts")).configApply(context, file)),
    );
}

function addOwnVerbs(program: Command, go: Go): void {
  program
    .command("completion")
    .description("a completion script, to be sourced by the shell")
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS))
    .action((shell: Shell) =>
      go(async ({ screen }) => {
        screen.line(completionScript(shell, program).trimEnd());
        return EXIT.ok;
      }),
    );
  program
    .command("version")
    .description("the version of balefire")
    .action(() => go(async (context) => (await import("./version.ts")).version(context)));
}
