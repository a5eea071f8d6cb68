/** Plays a scenario on the core that ships and writes down what a watcher would see. */
import type { Notice } from "../../src/core/io.ts";
import { CORE } from "../sim/core.ts";
import { describeFault } from "../sim/faults.ts";
import { Judge, type Violation } from "../sim/judge.ts";
import { describeNotice } from "../sim/notices.ts";
import { World } from "../sim/world.ts";
import { type Action, parseScript } from "./script.ts";

/** Between the script, which a person writes, and the transcript, which follows from it. */
export const DIVIDER = "--- what happens (virtual milliseconds)\n";
const START_STAGGER = 100;
const AFTER_DELIVER = 1;
/** How they find one another at the start is the same in every scenario. */
const SETTLED_AFTER = 5000;

export interface Played {
  /** Script and transcript, as the file should be. */
  readonly file: string;
  readonly violations: readonly Violation[];
}

/** What a message says of sensors, or in a host's own words, is the sense of some scenarios; the rest of its text has its own tests. */
const WORTH_READING = /last felt|past its critical|too hot|says: I was cut off|my own uplink/i;

/** The inbox is told of everything besides, and every node hears of every receipt: once is enough here. */
const isWorthShowing = (host: string, notice: Notice): boolean =>
  notice.type !== "message" || (notice.channel !== "inbox" && notice.node === host);

export async function play(file: string): Promise<Played> {
  const script = (file.split(DIVIDER)[0] ?? "").trimEnd();
  const { names, absent, networks, heartbeat, seed, until, timed, onDeliver } = parseScript(script);
  const heartbeats = heartbeat === undefined ? [] : [{ name: "watchdog", every: heartbeat }];
  const world = new World({ seed, machine: CORE, names, networks, heartbeats });
  const judge = new Judge(world, { nothingIsTold: false, muted: / maintenance /.test(script) });
  const lines: string[] = [];
  const write = (who: string, what: string): void => {
    lines.push(`${String(Math.round(world.timeline.now)).padStart(8)} ${who.padEnd(8)} ${what}`);
  };
  let sender = -1;
  const act = (action: Action): void => {
    for (const fault of action(sender)) {
      write("fault", describeFault(fault, names));
      world.apply(fault);
    }
  };
  world.onNotice.push((host, notice) => {
    if (world.timeline.now > SETTLED_AFTER && isWorthShowing(host.id, notice))
      write(host.name, describeNotice(notice));
  });
  world.receiver.onArrival.push(({ notification }) => {
    write("receiver", `${notification.state} "${notification.title}"`);
    for (const line of notification.text.split("\n")) if (WORTH_READING.test(line)) write("", `  ${line}`);
  });
  world.onPing.push((_, { heartbeat: name, condition, detail }) => write(name, `${condition} (${detail})`));
  world.onDeliver.push((host) => {
    if (sender >= 0) return;
    sender = host.index;
    world.timeline.in(AFTER_DELIVER, () => onDeliver.forEach(act));
  });
  for (const { at, action } of timed) world.timeline.schedule(at, () => act(action));
  await world.run(
    names.flatMap((name, host) =>
      absent.includes(name) ? [] : [{ at: host * START_STAGGER, fault: { type: "power-on", host } as const }],
    ),
    until,
  );
  return { file: `${script}\n\n${DIVIDER}${lines.join("\n")}\n`, violations: judge.violations };
}
