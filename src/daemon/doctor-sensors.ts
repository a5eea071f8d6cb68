/** What doctor says of this host's sensors and of the history. */
import type { HeatRule } from "../core/thermal/heat-policy.ts";
import type { MeshView } from "../core/view.ts";
import { globFits } from "../kit/glob.ts";
import { formatDuration } from "../kit/time.ts";
import { type Finding, sound } from "./doctor-finding.ts";
import { strangerFindings } from "./doctor-wishes.ts";
import type { HistoryState } from "./history-keeper.ts";
import type { SensorsState } from "./sensor-watch.ts";

export function sensorFindings(state: SensorsState): Finding[] {
  if (!state.watched) return [sound("sensors", "not watched: `sensors.watch` is off")];
  const warning = (finding: string, remedy: string): Finding => ({
    check: "sensors",
    level: "warning",
    finding,
    remedy,
  });
  const found: Finding[] = [];
  if (state.hangs) {
    const remedy = "Restart the host when you can: a thread that waits for a driver cannot be taken back.";
    found.push(warning("a look at them does not end: there are no readings until it does", remedy));
  }
  if (state.stuck > 0) {
    const remedy = "`balefire sensors` shows them as stuck; see the kernel's log for the driver.";
    found.push(
      warning(`${state.stuck} ${state.stuck === 1 ? "driver does" : "drivers do"} not answer`, remedy),
    );
  }
  if (state.left > 0) {
    found.push(warning(`${state.left} are beyond the limits and not read`, "See docs/sensors.md, Limits."));
  }
  if (state.unexpected > 0) {
    const remedy = "`balefire sensors` shows what it was; please report it.";
    found.push(warning(`${state.unexpected} of the things they said were not understood`, remedy));
  }
  if (found.length > 0) return found;
  const count = state.readings ?? 0;
  return [
    sound("sensors", count === 0 ? "none found" : `${count}, read every ${formatDuration(state.every)}`),
  ];
}

/** A rule for a host that is none of the mesh judges nothing. */
export function heatRuleFindings(view: MeshView, rules: readonly HeatRule[]): Finding[] {
  return rules.flatMap(({ node }, place) =>
    node === undefined
      ? []
      : strangerFindings(`sensors.rules[${place}].node`, node, view, (member) => globFits(node, member)),
  );
}

const MEBIBYTE = 1024 * 1024;

export function historyFindings({ kept, failing, status }: HistoryState): Finding[] {
  if (!kept) return [sound("history", "off")];
  if (failing !== undefined) {
    const remedy =
      "Make room on the disk, or look at its health; what is measured is kept in memory meanwhile.";
    return [{ check: "history", level: "failed", finding: failing, remedy }];
  }
  if (status === undefined) return [sound("history", "nothing to keep yet")];
  const { bytes, bytesMax, sensors, dropped, damaged } = status;
  const size = `${sensors} sensors, ${(bytes / MEBIBYTE).toFixed(1)} of ${Math.round(bytesMax / MEBIBYTE)} MiB`;
  if (dropped === 0 && damaged === 0) return [sound("history", size)];
  const finding = `${size}; since the start ${dropped} samples were not kept, ${damaged} pieces were damaged`;
  return [
    { check: "history", level: "warning", finding, remedy: "The journal says why; see docs/history.md." },
  ];
}
