/** Debian's promtool, which reads metrics as Prometheus does and has opinions on their names. */
import { spawn } from "node:child_process";

export interface Checked {
  readonly code: number | null;
  /** All that it said. */
  readonly said: string;
}

export const checkMetrics = (text: string): Promise<Checked> => promtool(["check", "metrics"], text);

/** Of a file with alerting rules. */
export const checkRules = (path: string): Promise<Checked> => promtool(["check", "rules", path], "");

function promtool(words: readonly string[], input: string): Promise<Checked> {
  return new Promise((resolve, reject) => {
    const child = spawn("promtool", words, { stdio: ["pipe", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part: string) => {
        said += part;
      });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, said }));
    child.stdin.end(input);
  });
}
