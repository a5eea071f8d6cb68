/** What is wrong with a configuration file, said so that a person can put it right. */

/** More problems than this in one file are counted, not listed. */
export const CONFIG_PROBLEMS_MAX: number = 20;

export interface ConfigProblem {
  /** The file as the caller named it. */
  readonly file: string;
  /** From 1; 0 when the problem has no place in a file (the environment). */
  readonly line: number;
  /** From 1; 0 when the problem has no place in a file. */
  readonly column: number;
  /** What is wrong, in a sentence; never holds a secret value. */
  readonly message: string;
  /** What to write instead. */
  readonly fix: string;
  /** The source line with a caret below it; values that may be secret are `***`. Empty without a place. */
  readonly excerpt: string;
}

/** `file:line:column: message`, the line with its caret, and the fix; a blank line between problems. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  const blocks = problems.slice(0, CONFIG_PROBLEMS_MAX).map(formatProblem);
  if (problems.length >= CONFIG_PROBLEMS_MAX)
    blocks.push(`Only the first ${CONFIG_PROBLEMS_MAX} problems are shown.`);
  return blocks.join("\n\n");
}

function formatProblem(problem: ConfigProblem): string {
  const place = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  const lines = [`${place}: ${problem.message}`];
  if (problem.excerpt !== "") lines.push(...problem.excerpt.split("\n").map((line) => `    ${line}`));
  lines.push(`  fix: ${problem.fix}`);
  return lines.join("\n");
}
