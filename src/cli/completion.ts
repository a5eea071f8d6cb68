/** `balefire completion bash|zsh|fish`: scripts made from the commands themselves. */
import type { Command } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** One place in the tree of commands: what may follow there. */
interface Place {
  /** The verbs typed so far, `""` at the top. */
  readonly path: string;
  readonly verbs: readonly { readonly name: string; readonly says: string }[];
  readonly options: readonly OptionPlace[];
  /** Words the first argument may be. */
  readonly choices: readonly string[];
  /** The first argument is the name of a node. */
  readonly takesNode: boolean;
}

interface OptionPlace {
  readonly flag: string;
  readonly says: string;
  readonly takesValue: boolean;
  /** Its value is the name of a node. */
  readonly takesNode: boolean;
}

/** The script for a shell, to be sourced or put where the shell looks for it. */
export function completionScript(shell: Shell, program: Command): string {
  const places = placesOf(program, "", program);
  switch (shell) {
    case "bash":
      return bashScript(places);
    case "zsh":
      return zshScript(places);
    case "fish":
      return fishScript(places);
  }
}

function placesOf(command: Command, path: string, program: Command): Place[] {
  const help = program.createHelp();
  const verbs = help.visibleCommands(command).filter((verb) => verb.name() !== "help");
  const options = [...new Set([...help.visibleOptions(command), ...program.options])];
  const place: Place = {
    path,
    verbs: verbs.map((verb) => ({ name: verb.name(), says: verb.description() })),
    options: options.flatMap((option) =>
      option.long === undefined || option.long === null
        ? []
        : [
            {
              flag: option.long,
              says: option.description,
              takesValue: option.required,
              takesNode: option.flags.endsWith("<node>"),
            },
          ],
    ),
    choices: command.registeredArguments[0]?.argChoices ?? [],
    takesNode: command.registeredArguments[0]?.name() === "node",
  };
  const below = verbs.flatMap((verb) =>
    placesOf(verb, path === "" ? verb.name() : `${path} ${verb.name()}`, program),
  );
  return [place, ...below];
}

const words = ({ verbs, options, choices }: Place): string =>
  [...verbs.map(({ name }) => name), ...choices, ...options.map(({ flag }) => flag)].join(" ");

/** Options whose value is a path. */
const PATH_OPTIONS = "--state-dir|--config|--socket|--sysfs-root";

/** Every verb path, so that a shell function can tell verbs from their arguments. */
const verbPaths = (places: readonly Place[]): string =>
  places
    .filter(({ path }) => path !== "")
    .map(({ path }) => `"${path}"`)
    .join("|");

/** Walks the words before the cursor; sh syntax that bash and zsh share. */
const walk = (places: readonly Place[], list: string): string => `  local place="" word
  for word in ${list}; do
    case "\${place:+$place }$word" in
      ${verbPaths(places)}) place="\${place:+$place }$word" ;;
    esac
  done`;

const cases = (places: readonly Place[]): string =>
  places.map((place) => `    "${place.path}") candidates="${words(place)}" ;;`).join("\n");

const valueFlags = (places: readonly Place[]): string =>
  [
    ...new Set(places.flatMap(({ options }) => options.filter((o) => o.takesValue).map(({ flag }) => flag))),
  ].join("|");

const nodeFlags = (places: readonly Place[]): string =>
  [
    ...new Set(places.flatMap(({ options }) => options.filter((o) => o.takesNode).map(({ flag }) => flag))),
  ].join("|");

/** Verb paths after which a node is named. */
const nodePlaces = (places: readonly Place[]): string =>
  places
    .filter(({ takesNode }) => takesNode)
    .map(({ path }) => `"${path}"`)
    .join("|");

/** Asked of the daemon; without one nothing is offered, and a shell never waits for long. */
const NODE_NAMES = "timeout 2 balefire nodes --names 2>/dev/null";

const bashScript = (places: readonly Place[]): string => `# bash completion for balefire
_balefire() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" candidates=""
${walk(places, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}
  case "$previous" in
    ${PATH_OPTIONS}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${nodeFlags(places)}) COMPREPLY=($(compgen -W "$(${NODE_NAMES})" -- "$current")); return ;;
    ${valueFlags(places)}) COMPREPLY=(); return ;;
  esac
  case "$place" in
    "config check"|"config apply") [[ $current == -* ]] || { COMPREPLY=($(compgen -f -- "$current")); return; } ;;
  esac
  case "$place" in
${cases(places)}
  esac
  case "$place" in
    ${nodePlaces(places)}) [[ $current == -* ]] || candidates="$candidates $(${NODE_NAMES})" ;;
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -o filenames -F _balefire balefire
`;

const zshScript = (places: readonly Place[]): string => `#compdef balefire
_balefire() {
  local previous="\${words[CURRENT-1]}" candidates=""
${walk(places, `"\${(@)words[2,CURRENT-1]}"`)}
  case "$previous" in
    ${PATH_OPTIONS}) _files; return ;;
    ${nodeFlags(places)}) compadd -- \${(f)"$(${NODE_NAMES})"}; return ;;
    ${valueFlags(places)}) return ;;
  esac
  case "$place" in
    "config check"|"config apply") [[ \${words[CURRENT]} == -* ]] || { _files; return; } ;;
  esac
  case "$place" in
${cases(places)}
  esac
  case "$place" in
    ${nodePlaces(places)}) [[ \${words[CURRENT]} == -* ]] || candidates="$candidates $(${NODE_NAMES})" ;;
  esac
  compadd -- \${=candidates}
}
if [ "$funcstack[1]" = "_balefire" ]; then _balefire "$@"; else compdef _balefire balefire; fi
`;

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap((place) => {
    const here = `complete -c balefire -n '__balefire_at "${place.path}"'`;
    return [
      ...place.verbs.map(({ name, says }) => `${here} -f -a ${name} -d ${quoted(says)}`),
      ...place.choices.map((choice) => `${here} -f -a ${choice}`),
      ...(place.takesNode ? [`${here} -f -a '(${NODE_NAMES})'`] : []),
      ...place.options.map(({ flag, says, takesValue, takesNode }) => {
        const isPath = PATH_OPTIONS.split("|").includes(flag);
        const names = takesNode ? ` -a '(${NODE_NAMES})'` : "";
        const value = !takesValue ? "" : isPath ? " -r -F" : ` -x${names}`;
        return `${here} -l ${flag.slice(2)}${value} -d ${quoted(says)}`;
      }),
    ];
  });
  return `# fish completion for balefire
function __balefire_at
  set -l place ""
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$place $word")
    if contains -- "$next" ${places
      .filter(({ path }) => path !== "")
      .map(({ path }) => `"${path}"`)
      .join(" ")}
      set place "$next"
    end
  end
  test "$place" = "$argv[1]"
end
${lines.join("\n")}
`;
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
