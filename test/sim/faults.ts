/** What can go wrong from outside, as plain values: generated from a seed, written in scenarios, printed in reports. */
import type { SingleInput } from "../../src/core/io.ts";
import type { AmbushPoint } from "./ambush.ts";
import type { DiskHealth } from "./disk.ts";
import type { ReceiverMood } from "./receiver.ts";
import type { World } from "./world.ts";

export type Fault =
  | { readonly type: "power-off"; readonly host: number }
  /** Also boots and starts the daemon. */
  | { readonly type: "power-on"; readonly host: number }
  | { readonly type: "kill"; readonly host: number }
  /** SIGTERM: goodbye, then the process ends. */
  | { readonly type: "stop"; readonly host: number; readonly why?: "reboot" | "shutdown" }
  | { readonly type: "start"; readonly host: number }
  | { readonly type: "pause"; readonly host: number }
  | { readonly type: "resume"; readonly host: number }
  /** Its cable, with the carrier; `network` undefined: in all networks. */
  | { readonly type: "link"; readonly host: number; readonly up: boolean; readonly network?: number }
  /** A network's switch; the cables keep their carrier. */
  | { readonly type: "network"; readonly network: number; readonly up: boolean }
  /** Whether this host hears its gateway. */
  | { readonly type: "gateway"; readonly host: number; readonly up: boolean }
  | { readonly type: "path"; readonly from: number; readonly to: number; readonly up: boolean }
  | { readonly type: "partition"; readonly groups: readonly (readonly number[])[] }
  | { readonly type: "heal" }
  /** `hosts` undefined: every path; else every path from or to one of them. */
  | {
      readonly type: "quality";
      readonly hosts?: readonly number[];
      readonly loss: number;
      readonly jitter: number;
    }
  | { readonly type: "wall-step"; readonly host: number; readonly by: number }
  | { readonly type: "disk"; readonly host: number; readonly health: DiskHealth }
  | { readonly type: "receiver"; readonly mood: ReceiverMood }
  /** Whoever sends next is killed at this point, and started again; undefined: nobody any more. */
  | { readonly type: "ambush"; readonly point: AmbushPoint | undefined }
  /** Somebody asks this host's daemon for something. */
  | {
      readonly type: "operator";
      readonly host: number;
      readonly words: string;
      readonly input: (world: World) => SingleInput;
    }
  /** Whether this host has a way to the receiver. */
  | { readonly type: "route"; readonly host: number; readonly up: boolean };

export interface TimedFault {
  readonly at: number;
  readonly fault: Fault;
}

export function describeFault(fault: Fault, names: readonly string[]): string {
  const name = (host: number): string => names[host] ?? `#${host}`;
  switch (fault.type) {
    case "link":
      return `link ${name(fault.host)} ${fault.network === undefined ? "" : `in network ${fault.network + 1} `}${fault.up ? "up" : "down"}`;
    case "network":
      return `network ${fault.network + 1} ${fault.up ? "up" : "down"}`;
    case "gateway":
      return `gateway of ${name(fault.host)} ${fault.up ? "answers" : "silent"}`;
    case "route":
      return `route ${name(fault.host)} ${fault.up ? "up" : "down"}`;
    case "path":
      return `path ${name(fault.from)} > ${name(fault.to)} ${fault.up ? "up" : "down"}`;
    case "partition":
      return `partition ${fault.groups.map((group) => group.map(name).join("+")).join(" | ")}`;
    case "heal":
      return "heal";
    case "quality": {
      const where = fault.hosts === undefined ? "everywhere" : fault.hosts.map(name).join("+");
      return `loss ${Math.round(fault.loss * 100)} % jitter ${fault.jitter.toFixed(1)} ms ${where}`;
    }
    case "wall-step":
      return `wall ${name(fault.host)} by ${Math.round(fault.by)} ms`;
    case "disk":
      return `disk ${name(fault.host)} ${fault.health}`;
    case "stop":
      return `${fault.why ?? "stop"} ${name(fault.host)}`;
    case "operator":
      return `on ${name(fault.host)}: ${fault.words}`;
    case "ambush":
      return fault.point === undefined ? "no ambush" : `ambush on who sends next: ${fault.point}`;
    case "receiver":
      return `receiver ${fault.mood}`;
    default:
      return `${fault.type} ${name(fault.host)}`;
  }
}
