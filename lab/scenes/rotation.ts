/**
 * The root is changed on a starved machine while daemons are killed at each of its steps. Whoever was off
 * throughout comes back by the signed hand-over; who was left out and removed joins anew.
 */
import { machineMs, until } from "../driver/clock.ts";
import { startHogs } from "../driver/hogs.ts";
import { DOWN_VERDICTS, type Scene, type Stage } from "../stage.ts";

const STEP_MS_MAX = 90_000;
const SETTLE_MS_MAX = 90_000;
/** As many as a small host has cores. */
const HOGS = { full: 2, short: 1 };
const CALM_MS = 1_000;
/** Each look costs the daemons time that they do not have. */
const LOOK_EVERY_MS = 200;
/** What must be concluded of nobody but those who were killed. */
const GRAVE = new Set([...DOWN_VERDICTS, "missing"]);
/** After the command, in further changes: while it is announced, while certificates are renewed, at its end. */
const KILLED_AFTER_MS = [0, 250, 500, 1000, 1500, 2500];

export const rotation: Scene = {
  name: "rotation",
  summary: "the root is changed under load while daemons are killed at every step: nobody is called dead",
  nodes: { usual: 4, min: 4, full: [10] },
  alone: true,
  // The same daemons are killed again and again, and take long to come up on a starved machine.
  policy: { flap: "off", daemonDown: { grace: "2m" }, planned: { grace: "1h" } },
  async play(stage) {
    const change = new Change(stage);
    if (!stage.short) await calm(stage, change);
    const hogs = HOGS[stage.short ? "short" : "full"];
    const stopHogs = startHogs(hogs);
    stage.note(`${hogs} processes that never wait`);
    try {
      await loaded(stage, change);
    } finally {
      await stopHogs();
    }
    await stage.mesh.settled(SETTLE_MS_MAX);
    await change.checkRoots();
    change.checkVerdicts();
    await change.checkIncidents();
  },
};

/** What the load alone does, and what a change alone does: to compare with. */
async function calm(stage: Stage, change: Change): Promise<void> {
  await change.during("a change with neither load nor kills", async () => {
    await change.begin();
    await change.reach("none");
  });
  await change.during(`the load alone, ${HOGS.full} processes that never wait`, async () => {
    const stopHogs = startHogs(HOGS.full);
    await stage.quiet(30_000);
    await stopHogs();
  });
}

async function loaded(stage: Stage, change: Change): Promise<void> {
  await change.during("a change under load, with kills", () => heldUpTwice(stage, change));
  if (stage.short) return;
  await change.during("a removal in the middle of one", () => removedMeanwhile(stage, change));
  await change.during("changes under load, each with a kill on its way", () => hurried(stage, change));
}

/** One node holds up the first phase, another the second: in each, daemons are killed one after the other. */
async function heldUpTwice(stage: Stage, change: Change): Promise<void> {
  const [keymaster = "", second = "", late = ""] = stage.names;
  const absent = stage.names.at(-1) ?? "";
  await change.away(absent);
  await change.away(late);
  await change.begin([absent]);
  await change.reach("announced", late);
  for (const name of stage.short ? [keymaster] : stage.others(late, absent)) {
    await change.killAndRevive(name);
    await change.reach("announced", late);
  }
  // It has said that it knows, and is off when certificates are issued.
  await change.away(second);
  await change.back(late);
  await change.reach("issuing", second);
  for (const name of stage.short ? [late] : stage.others(second, absent)) {
    await change.killAndRevive(name);
    await change.reach("issuing", second);
  }
  await change.back(second);
  await change.reach("none");
  await change.back(absent);
  await change.checkRoots();
}

/** It is left out of a change and removed in the middle of it. */
async function removedMeanwhile(stage: Stage, change: Change): Promise<void> {
  const [keymaster = "", via = ""] = stage.names;
  const absent = stage.names.at(-1) ?? "";
  await change.away(absent);
  await change.begin([absent]);
  const removal = { node: absent, why: "it was left out", suspected: false };
  await stage.mesh.daemon(keymaster).control.call("node-remove", removal);
  await change.reach("none");
  await change.joinAnew(absent, via);
}

/** Nothing holds them up, and each time another daemon is killed at another moment. */
async function hurried(stage: Stage, change: Change): Promise<void> {
  for (const [at, afterMs] of KILLED_AFTER_MS.entries()) {
    const victim = stage.names[at % 2 === 0 ? 0 : at] ?? "";
    await change.begin();
    await stage.quiet(afterMs);
    stage.note(`${afterMs} ms after it was announced`);
    await change.killAndRevive(victim);
    await change.reach("none");
  }
}

/** A change of roots from outside, and who was away while it went on. */
class Change {
  readonly #stage: Stage;
  readonly #keymaster: string;
  #code: string;
  /** Pin of the root that was announced last. */
  #root = "";
  /** Who is away, or has not been seen back by all, and how it went. */
  readonly #away = new Map<string, "killed" | "stopped">();
  readonly #wrong: string[] = [];
  readonly #killed = new Set<string>();
  #suspicions = 0;
  /** A starved prober does not see in time that the host of a killed daemon answers. */
  #misjudged = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#keymaster = stage.names[0] ?? "";
    this.#code = stage.mesh.recoveryCode;
    stage.mesh.listen(({ observer, event }) => {
      if (event.event === "verdict") this.#judge(observer, String(event.name), String(event.to));
    });
  }

  #judge(observer: string, subject: string, to: string): void {
    const how = this.#away.get(subject);
    // Who has just come up may suspect anybody until it has heard them.
    if (to === "suspect" && how === undefined && !this.#away.has(observer)) this.#suspicions += 1;
    if (GRAVE.has(to) && how !== "killed") this.#wrong.push(`${observer} held ${subject} ${to}`);
    if (to === "host-down" && how === "killed") this.#misjudged += 1;
  }

  /** Plays a part and notes how often somebody was suspected in it who was there. */
  async during(what: string, play: () => Promise<void>): Promise<void> {
    const [before, begunMs] = [this.#suspicions, machineMs()];
    await play();
    const lengthS = Math.round((machineMs() - begunMs) / 1000);
    this.#stage.note(`${what}: ${this.#suspicions - before} suspicions of who was there, in ${lengthS} s`);
  }

  async begin(waive: readonly string[] = []): Promise<void> {
    const { control } = this.#stage.mesh.daemon(this.#keymaster);
    const { ticket, recoveryCode, root } = await control.call("root-rotate", { code: this.#code, waive });
    await control.call("offer-take", { ticket });
    this.#stage.note(`a new root is announced, ${root}`);
    this.#code = recoveryCode;
    this.#root = root;
  }

  async reach(phase: string, ...waiting: readonly string[]): Promise<void> {
    const what = `phase ${phase}, waiting for ${waiting.join(", ") || "nobody"}`;
    const isReached = async (): Promise<true | undefined> => {
      const now = await this.#stage.mesh.daemon(this.#keymaster).control.call("root-status", {});
      const names = now.waiting.map(({ node }) => node);
      return now.phase === phase && names.join() === waiting.join() ? true : undefined;
    };
    await until(what, STEP_MS_MAX, isReached, LOOK_EVERY_MS);
    this.#stage.note(what);
  }

  async away(name: string): Promise<void> {
    // Who has come up a moment ago may lose a goodbye together with a session that another one replaces.
    await this.#stage.quiet(CALM_MS);
    this.#away.set(name, "stopped");
    await this.#stage.act("stop", name);
  }

  async back(name: string): Promise<void> {
    await this.#stage.act("revive", name);
    await this.#stage.mesh.settled(SETTLE_MS_MAX);
    this.#away.delete(name);
  }

  async killAndRevive(name: string): Promise<void> {
    this.#killed.add(name);
    this.#away.set(name, "killed");
    await this.#stage.act("kill", name);
    await this.back(name);
  }

  async joinAnew(name: string, via: string): Promise<void> {
    const daemon = this.#stage.mesh.daemon(name);
    const { control } = this.#stage.mesh.daemon(this.#keymaster);
    await daemon.run().catch(() => undefined);
    await until(`${name} to end`, STEP_MS_MAX, () => (daemon.state === "off" ? true : undefined));
    const { token } = await control.call("token-create", { name, expiresMs: 3_600_000 });
    const through = this.#stage.mesh.daemon(via).address;
    await daemon.cli("join", token, "--via", through, ...daemon.addressFlags, "--json");
    await this.back(name);
  }

  async checkRoots(): Promise<void> {
    const trusted = async (): Promise<string> => {
      const lists = await Promise.all(
        this.#stage.mesh.daemons.map(async ({ control }) => (await control.call("root-status", {})).roots),
      );
      return [...new Set(lists.map((roots) => roots.map(({ pin }) => pin).join(" and ")))].join(", ");
    };
    await until("everyone to trust one root", STEP_MS_MAX, async () =>
      (await trusted()).length === this.#root.length ? true : undefined,
    );
    const found = await trusted();
    this.#stage.check("everyone trusts the new root alone", found === this.#root, found);
  }

  checkVerdicts(): void {
    const found = [...new Set(this.#wrong)].join("; ");
    const what = "nobody but killed daemons was held down, at any step, by anybody";
    this.#stage.check(what, this.#wrong.length === 0, found);
    this.#stage.note(`${this.#misjudged} times the host of a killed daemon was held down`);
  }

  async checkIncidents(): Promise<void> {
    const isAboutKilled = (kind: string, name: string): boolean =>
      (kind === "down" || kind === "daemon-down") && this.#killed.has(name);
    const found = await Promise.all(
      this.#stage.mesh.daemons.map(async ({ name, control }) => {
        const { incidents } = await control.call("incidents", {});
        return incidents
          .filter((each) => !isAboutKilled(each.kind, each.name))
          .map((each) => `${name}: ${each.kind} ${each.name}`);
      }),
    );
    const wrong = found.flat();
    this.#stage.check("no incident on any node but of killed daemons", wrong.length === 0, wrong.join("; "));
    const told = this.#stage.told.filter(({ message }) =>
      message.subjects.some(({ name }) => !this.#killed.has(name)),
    );
    const titles = told.map(({ message }) => message.title);
    this.#stage.check("no message but of killed daemons", told.length === 0, titles.join("; "));
  }
}
