/** A transcript as people read it. */
import type { Line } from "./stage.ts";

export const transcriptLine = (line: Line): string => `${line.atMs.toFixed(1).padStart(9)} ms  ${text(line)}`;

function text(line: Line): string {
  switch (line.kind) {
    case "note":
      return line.text;
    case "action":
      return `>> ${line.action} ${line.node}`;
    case "verdict":
      return `${line.observer}: ${line.subject} ${line.from} → ${line.to}${line.why === "" ? "" : ` (${line.why})`}`;
    case "message":
      return `webhook ${line.message.state.toUpperCase()} "${line.message.title}" by ${line.message.viewpoint.node}${line.again ? " (again)" : ""}`;
    case "check":
      return `${line.ok ? "ok  " : "FAIL"} ${line.text}${line.ok || line.found === "" ? "" : `; found: ${line.found}`}`;
  }
}
