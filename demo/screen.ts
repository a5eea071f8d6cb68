/** Draws the live view as plain text with ANSI colours; a pure function of what is known. */
import { type Tone, toneOf } from "./wording.ts";

export interface CellView {
  readonly verdict: string;
  readonly rttMs: number | null;
  readonly beatsPerSecond: number;
}

export interface NodeRow {
  readonly name: string;
  readonly address: string;
  /** `running`, `frozen`, `off`, and what else there is to say of the process. */
  readonly condition: string;
  readonly selected: boolean;
  /** What this node sees, by subject; empty while it cannot be asked. */
  readonly sees: ReadonlyMap<string, CellView>;
}

export interface ScreenModel {
  readonly elapsedMs: number;
  readonly notes: readonly string[];
  readonly nodes: readonly NodeRow[];
  readonly keys: string;
  readonly log: readonly {
    readonly atMs: number;
    readonly who: string;
    readonly text: string;
    readonly tone: Tone;
  }[];
}

export interface Surface {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

type Ink = Tone | "bold" | "dim" | "inverse";
/** A piece of a line in one ink; lines are cut to the terminal's width only when they are rendered. */
type Piece = readonly [ink: Ink, text: string];

/** ECMA-48 "select graphic rendition" parameters. */
const CODES: Readonly<Record<Ink, string>> = {
  plain: "",
  bad: "31;1",
  good: "32",
  doubt: "33",
  bold: "1",
  dim: "2",
  inverse: "7",
};
const NAME_WIDTH = 14;
const CELL_WIDTH = 20;

/** The lines of the screen: never wider than its columns nor more than its rows. */
export function drawScreen(model: ScreenModel, surface: Surface): readonly string[] {
  const title = `Balefire: three real daemons watch each other${clock(model.elapsedMs).padStart(12)}`;
  const head: readonly (readonly Piece[])[] = [
    [["bold", title]],
    ...model.notes.map((note): readonly Piece[] => [["dim", note]]),
    [],
    ...matrix(model.nodes),
    [],
    [["bold", model.keys]],
    [],
  ];
  const room = Math.max(0, surface.rows - head.length - 1);
  const tail = model.log
    .slice(Math.max(0, model.log.length - room))
    .map(({ atMs, who, text, tone }): readonly Piece[] => [
      [tone, `${clock(atMs, 3).padStart(10)}  ${who.padEnd(8)} ${text}`],
    ]);
  return [...head, ...tail].slice(0, surface.rows).map((line) => render(line, surface));
}

/** Observers are rows of two lines, subjects are columns. */
const matrix = (nodes: readonly NodeRow[]): readonly (readonly Piece[])[] => [
  [
    ["dim", "  who sees →".padEnd(NAME_WIDTH)],
    ...nodes.map((subject): Piece => ["bold", subject.name.padEnd(CELL_WIDTH)]),
  ],
  ...nodes.flatMap((observer) => rowOf(observer, nodes)),
];

function rowOf(observer: NodeRow, subjects: readonly NodeRow[]): readonly (readonly Piece[])[] {
  const name = `${observer.selected ? "▶ " : "  "}${observer.name}`.padEnd(NAME_WIDTH);
  const host = `  ${observer.address.replace(/:\d+$/, "")}`.padEnd(NAME_WIDTH);
  return [
    [
      [observer.selected ? "inverse" : "plain", name],
      ...subjects.map((subject) => verdictCell(observer, subject)),
    ],
    [["dim", host], ...subjects.map((subject) => detailCell(observer, subject))],
  ];
}

const cell = (ink: Ink, text: string): Piece => [ink, clip(text, CELL_WIDTH - 1).padEnd(CELL_WIDTH)];

function verdictCell(observer: NodeRow, subject: NodeRow): Piece {
  if (subject.name === observer.name) return cell("dim", observer.condition);
  const seen = observer.sees.get(subject.name);
  return seen === undefined ? cell("dim", "·") : cell(toneOf(seen.verdict), seen.verdict);
}

function detailCell(observer: NodeRow, subject: NodeRow): Piece {
  const seen = observer.sees.get(subject.name);
  if (subject.name === observer.name || seen === undefined) return cell("dim", "");
  const rtt = seen.rttMs === null ? "" : ` ${seen.rttMs.toFixed(2)} ms`;
  return cell("dim", `${seen.beatsPerSecond.toFixed(1)}/s${rtt}`);
}

function render(line: readonly Piece[], surface: Surface): string {
  let left = surface.columns;
  let drawn = "";
  for (const [ink, whole] of line) {
    const text = clip(whole, left);
    left -= [...text].length;
    drawn +=
      surface.colour && CODES[ink] !== "" && text !== "" ? `\u001b[${CODES[ink]}m${text}\u001b[0m` : text;
  }
  return drawn;
}

/** Cuts to a width, the last character being `…` where something is lost. */
function clip(text: string, width: number): string {
  const letters = [...text];
  if (letters.length <= width) return text;
  return width < 1 ? "" : `${letters.slice(0, width - 1).join("")}…`;
}

/** `1:05` or `1:05.400`; cut, not rounded, so that a second is never shown as 60. */
function clock(atMs: number, decimals = 0): string {
  const minutes = Math.floor(atMs / 60_000);
  const unit = 10 ** decimals;
  const seconds = (Math.floor(((atMs % 60_000) / 1000) * unit) / unit).toFixed(decimals);
  return `${minutes}:${seconds.padStart(decimals === 0 ? 2 : 3 + decimals, "0")}`;
}
