/** What the core lets a watcher know, as a line. */
import type { Notice } from "../../src/core/io.ts";

export function describeNotice(notice: Notice): string {
  switch (notice.type) {
    case "verdict":
      return `verdict ${notice.name} #${notice.incarnation} ${notice.from} -> ${notice.to} (${notice.why})`;
    case "incident":
      return `incident ${notice.kind} ${notice.phase} ${notice.name} ${notice.incident.slice(0, 8)}`;
    case "message":
      return `message ${notice.phase} ${notice.channel} ${notice.outcome} "${notice.title}" (${notice.detail})`;
    case "isolated":
      return `isolated ${notice.isolated} (${notice.detail})`;
    case "mute":
      return `${notice.purpose} ${notice.phase}: ${notice.about} (by ${notice.by})`;
    case "warning":
      return `warning ${notice.text}`;
  }
}
