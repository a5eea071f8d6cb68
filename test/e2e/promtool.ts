/** Debian's promtool, which reads metrics as Prometheus does and has opinions on their names. */
import { spawn } from "node:child_process";

export interface Checked {
  readonly code: number | null;
  /** What it found wrong. */
  readonly said: string;
}

export function checkMetrics(text: string): Promise<Checked> {
  return new Promise((resolve, reject) => {
    const child = spawn("promtool", ["check", "metrics"], { stdio: ["pipe", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part: string) => {
        said += part;
      });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, said }));
    child.stdin.end(text);
  });
}
