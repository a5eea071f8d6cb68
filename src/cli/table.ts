/** Columns of text that fit the screen. */
import type { Screen, Style } from "./screen.ts";

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}
export type Row = readonly (string | Cell)[];

const GAP = "  ";
/** A column is not cut below this: a name should stay recognisable. */
const COLUMN_LEAST = 8;

/** The header and the rows, each cut to the screen: what is too long ends in an ellipsis. */
export function table(screen: Screen, header: readonly string[], rows: readonly Row[]): string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === "string" ? { text: cell } : cell)));
  const widths = narrowed(
    header.map((title, column) =>
      Math.max(title.length, ...cells.map((row) => lengthOf(row[column]?.text ?? ""))),
    ),
    screen.columns,
  );
  const print = (row: readonly Cell[]): string =>
    row
      .map((cell, column) => {
        const last = column === row.length - 1;
        const text = padded(cell.text.replaceAll("\n", " "), widths[column] ?? 0, last);
        return cell.style === undefined ? text : screen.paint(cell.style, text);
      })
      .join(GAP)
      .trimEnd();
  return [print(header.map((text) => ({ text, style: "dim" as const }))), ...cells.map(print)];
}

/** Characters, as a person counts them. */
const lengthOf = (text: string): number => [...text].length;

function padded(text: string, width: number, last: boolean): string {
  const length = lengthOf(text);
  if (length > width) return `${[...text].slice(0, width - 1).join("")}…`;
  return last ? text : text + " ".repeat(width - length);
}

/** Narrows the widest column until all fit. */
function narrowed(wanted: readonly number[], columns: number): number[] {
  const widths = [...wanted];
  const room = columns - GAP.length * (widths.length - 1);
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  while (excess > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = widths[widest] ?? 0;
    if (width <= COLUMN_LEAST) break;
    widths[widest] = width - 1;
    excess -= 1;
  }
  return widths;
}

/** Breaks text into lines at spaces; each begins with `indent`, the first with `bullet` instead. */
export function wrapped(
  text: string,
  columns: number,
  indent: string = "",
  bullet: string = indent,
): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = lines.length === 0 ? bullet : indent;
    let empty = true;
    for (const word of paragraph.split(" ")) {
      if (!empty && lengthOf(line) + 1 + lengthOf(word) > columns) {
        lines.push(line);
        line = indent;
        empty = true;
      }
      line += empty ? word : ` ${word}`;
      empty = false;
    }
    lines.push(line);
  }
  return lines;
}
