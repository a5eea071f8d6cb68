/**
 * Incident after incident while what tells of them fails: every one is told in the end, and a receiver
 * that takes a key shows each message once.
 */
import { join } from "node:path";
import type { Notification } from "../../src/core/notification.ts";
import { messageIn, subjectNames, tells } from "../driver/message.ts";
import type { Delivery } from "../driver/receiver.ts";
import { moveToSmallDisk, type SmallDisk } from "../driver/small-disk.ts";
import type { Scene, Stage } from "../stage.ts";

const ATTEMPT_MS_MAX = 10_000;
/** Senders that have failed wait for up to five seconds and double that; after two minutes of failures, for as long again. */
const TELL_MS_MAX = 150_000;
const RESOLVE_MS_MAX = 60_000;
/** The first time in the full form, and else. */
const REFUSING_MS = { long: 120_000, full: 3_000, short: 1_500 };

/** How often the daemon on it has said that it cannot write. */
type Disk = SmallDisk & { noticed: number };

interface Round {
  readonly stage: Stage;
  /** How often this fault has been played before. */
  readonly again: number;
  readonly disk: Disk;
  readonly diskOf: string;
  readonly victim: string;
  /** Whoever told last: likely to tell again. */
  readonly teller: string;
}

interface Fault {
  readonly name: string;
  readonly kills: number;
  /** Before the incident. */
  begin(round: Round): Promise<void> | void;
  /** Once somebody has tried to tell of it. */
  meet?(round: Round, attempt: Delivery): Promise<void>;
  /** When it has been told. */
  end(round: Round): Promise<void> | void;
}

const nothing = (): void => {};

const FAULTS: readonly Fault[] = [
  {
    name: "the sender is killed between intent and receipt",
    kills: 1,
    begin: ({ stage }) => stage.mesh.receiver.answer("hang"),
    meet: async ({ stage }, attempt) => {
      await stage.act("kill", messageIn(attempt)?.viewpoint.node ?? "");
      await stage.mesh.receiver.answer("accept");
    },
    end: async ({ stage }) => {
      for (const { name, state } of stage.mesh.daemons) if (state === "off") await stage.act("revive", name);
    },
  },
  {
    name: "the receiver answers 500 for a while",
    kills: 0,
    begin: ({ stage }) => stage.mesh.receiver.answer("refuse"),
    meet: async ({ stage, again }) => {
      const full = again === 0 ? "long" : "full";
      await stage.quiet(REFUSING_MS[stage.short ? "short" : full]);
      await stage.mesh.receiver.answer("accept");
    },
    end: nothing,
  },
  {
    name: "the receiver takes it and never answers",
    kills: 0,
    begin: ({ stage }) => stage.mesh.receiver.answer("hang"),
    meet: ({ stage }) => stage.mesh.receiver.answer("accept"),
    end: nothing,
  },
  {
    name: "no way leads from one node to the receiver",
    kills: 0,
    begin: ({ stage, teller }) => stage.network.loseReceiver(stage.place(teller)),
    end: ({ stage, teller }) => stage.network.clear(stage.place(teller)),
  },
  {
    name: "the disk of one node is full",
    kills: 0,
    begin: ({ disk }) => disk.fill(),
    end: async ({ stage, disk, diskOf }) => {
      const { problems } = await stage.mesh.daemon(diskOf).status();
      if (problems.some((problem) => problem.startsWith("state cannot be written"))) disk.noticed += 1;
      disk.free();
    },
  },
];

export const chaos: Scene = {
  name: "chaos",
  summary:
    "incident after incident while senders are killed, receivers fail, ways are lost and disks are full: none is lost",
  nodes: { usual: 4, min: 4 },
  channelTimeout: "1s",
  policy: { daemonDown: { grace: "60s" }, flap: "off" },
  async play(stage) {
    const diskOf = stage.names.at(-1) ?? "";
    const disk = await smallDisk(stage, diskOf);
    try {
      const rounds = stage.short ? FAULTS.length : 10 * FAULTS.length;
      for (let index = 0; index < rounds; index += 1) await playRound(stage, disk, diskOf, index);
      stage.check(`${rounds} incidents, none lost`, true);
      // A log that has room inside takes a few records on a full disk as well, so not every time, and the short form has one.
      if (!stage.short) stage.check(`${diskOf} has said that its disk is full`, disk.noticed > 0);
    } finally {
      await stage.mesh.perform("kill", diskOf);
      disk.remove();
    }
  },
};

async function smallDisk(stage: Stage, name: string): Promise<Disk> {
  await stage.act("stop", name);
  const disk = moveToSmallDisk(join(stage.mesh.daemon(name).folder, "state"));
  await stage.act("revive", name);
  await stage.mesh.settled();
  return { ...disk, noticed: 0 };
}

async function playRound(stage: Stage, disk: Disk, diskOf: string, index: number): Promise<void> {
  const fault = FAULTS[index % FAULTS.length];
  if (fault === undefined) return;
  const { receiver } = stage.mesh;
  const victims = stage.others(diskOf);
  const again = Math.floor(index / FAULTS.length);
  const victim = victims[(index + again) % victims.length] ?? "";
  const last = stage.told.at(-1)?.message.viewpoint.node;
  const teller = last === undefined || last === victim ? (stage.others(victim)[0] ?? "") : last;
  const round: Round = { stage, again, disk, diskOf, victim, teller };
  const from = receiver.deliveries.length;
  stage.note(`incident ${index + 1}: ${fault.name}`);
  await fault.begin(round);
  await stage.act("cut", victim);
  if (fault.meet !== undefined) {
    const isAttempt = (delivery: Delivery): boolean => tells(delivery, "open", victim);
    await fault.meet(round, await stage.mesh.delivery("an attempt", ATTEMPT_MS_MAX, isAttempt, from));
  }
  await accepted(stage, "open", victim, from);
  await fault.end(round);
  await stage.act("restore", victim);
  await accepted(stage, "resolved", victim, from);
  await stage.mesh.settled();
  await stage.quiet(500);
  checkKeys(stage, receiver.deliveries.slice(from), fault.kills);
}

function accepted(
  stage: Stage,
  state: Notification["state"],
  victim: string,
  from: number,
): Promise<Delivery> {
  const timeoutMs = state === "open" ? TELL_MS_MAX : RESOLVE_MS_MAX;
  const isIt = (delivery: Delivery): boolean =>
    delivery.answered === "accept" && tells(delivery, state, victim);
  return stage.mesh.delivery(`"${state}" about ${victim}`, timeoutMs, isIt, from);
}

/** What the receiver took, told apart by key as a service would; and what one without keys would show twice. */
function checkKeys(stage: Stage, deliveries: readonly Delivery[], kills: number): void {
  const shown = new Map<string, string>();
  const byMatter = new Map<string, { readonly keys: Set<string>; taken: number }>();
  const mixed: string[] = [];
  for (const delivery of deliveries) {
    const message = messageIn(delivery);
    if (message === undefined || delivery.answered === "refuse") continue;
    const key = delivery.headers["idempotency-key"] ?? "";
    const incidents = message.subjects.map(({ incident }) => incident).sort();
    const what = `${message.state} ${incidents.join(" ")}`;
    if ((shown.get(key) ?? what) !== what) mixed.push(`${key}: ${shown.get(key)} and ${what}`);
    shown.set(key, what);
    for (const incident of incidents) {
      const matter = `${message.state} ${subjectNames(message).join()} ${incident}`;
      const seen = byMatter.get(matter) ?? { keys: new Set(), taken: 0 };
      byMatter.set(matter, seen);
      seen.keys.add(key);
      if (delivery.answered === "accept") seen.taken += 1;
    }
  }
  const matters = [...byMatter];
  const doubled = matters.filter(([, { keys }]) => keys.size > 1).map(([matter]) => matter);
  stage.check("a receiver that takes the key shows each once", doubled.length === 0, doubled.join("; "));
  stage.check("no key stands for two messages", mixed.length === 0, mixed.join("; "));
  const repeats = matters.map(([, { taken }]) => Math.max(0, taken - 1)).reduce((a, b) => a + b, 0);
  stage.check(`at most ${kills} accepted twice`, repeats <= kills, `${repeats}`);
}
