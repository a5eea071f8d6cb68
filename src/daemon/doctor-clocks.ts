/** Whether this host's clock and the others' are right: certificates, messages and tokens go by them. */
import { clockWords } from "../core/clocks.ts";
import { CLOCK_OFF_FROM } from "../core/limits.ts";
import type { MeshView, NodeView } from "../core/view.ts";
import { civilTime, type Duration, formatDuration, type WallTime } from "../kit/time.ts";
import { type Finding, sound } from "./doctor-finding.ts";

/** Certificates and messages bear wall times: beyond this they mislead. */
const CLOCK_ERROR_MAX_MS = 2000;
const REMEDY =
  "Run `timedatectl` there: is a time service active and the clock synchronized? Proxmox VE comes with chrony: " +
  "`chronyc tracking` shows its sources, `chronyc makestep` sets the clock at once.";

/** `signedAt`: when the roster that is held here was signed. */
export function clockFindings(view: MeshView, signedAt: WallTime): Finding[] {
  const others = view.nodes.filter(({ id }) => id !== view.self);
  const own = ownFinding(view, signedAt);
  const wrong = [...(own === undefined ? [] : [own]), ...others.flatMap((node) => otherFinding(view, node))];
  if (wrong.length > 0) return wrong;
  const measured = others.filter((node) => node.clockOffset !== undefined).length;
  return [sound("clocks", `${measured} of ${others.length} measured, all within 2 s of this one`)];
}

function ownFinding({ clock, at }: MeshView, signedAt: WallTime): Finding | undefined {
  const check = "clock of this host";
  const { error, off } = clock;
  if (error === undefined) {
    // Nobody to compare with; but what was signed was signed in the past.
    const behind = (signedAt - at) as Duration;
    if (behind < CLOCK_OFF_FROM) return undefined;
    const finding = `it says ${civilTime(at)}, ${formatDuration(behind)} before the roster was signed that is held here`;
    return { check, level: "failed", finding, remedy: REMEDY };
  }
  if (Math.abs(error) <= CLOCK_ERROR_MAX_MS) return undefined;
  const mesh = (off ? at : at - error) as WallTime;
  const says = `it says ${civilTime((mesh + error) as WallTime)}`;
  const finding = `${clockWords(error)}: ${says}${off ? "; meanwhile this node goes by theirs" : ""}`;
  return { check, level: off ? "failed" : "warning", finding, remedy: REMEDY };
}

function otherFinding({ clock }: MeshView, { name, clockOffset }: NodeView): Finding[] {
  if (clockOffset === undefined) return [];
  const error = (clockOffset + (clock.off ? 0 : (clock.error ?? 0))) as Duration;
  if (Math.abs(error) <= CLOCK_ERROR_MAX_MS) return [];
  return [{ check: `clock of ${name}`, level: "warning", finding: clockWords(error), remedy: REMEDY }];
}
