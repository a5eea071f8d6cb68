/** A year of keys: hosts restart and are off for days, the keymaster too, and no certificate is lost or runs out unnoticed. */

import type { NodeState } from "../../src/core/node.ts";
import { mayConfigure } from "../../src/daemon/peers.ts";
import { type Duration, days, hours, minutes, seconds } from "../../src/kit/time.ts";
import { makeStandby, promote } from "./key-promotion.ts";
import { type KeyHost, KeyWorld } from "./key-world.ts";
import { chance, generator, uniform } from "./seeds.ts";

export interface KeyYearOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly days: number;
  readonly onLine?: (line: string) => void;
}

export interface KeyYearReport {
  readonly seed: number;
  readonly renewals: number;
  readonly restarts: number;
  /** Times a host was off for a while. */
  readonly absences: number;
  /** Certificates that ran out while their host was on: the keymaster was away for that long. */
  readonly ranOut: number;
  /** Times people were told that one was not being renewed. */
  readonly told: number;
  readonly violations: readonly string[];
}

const LOOK_EVERY: Duration = minutes(30);
/** A try in vain is repeated within an hour and a quarter; what could be renewed for longer was forgotten. */
const RENEWED_WITHIN: Duration = minutes(90);
/** So is what people are told of after three tries in vain. */
const TOLD_WITHIN: Duration = minutes(90);
/** The first try of a daemon, and of one that hears of a new keymaster. */
const SOON: Duration = seconds(10);
const ABSENCE_MAX: Duration = days(10);
const KEYMASTER_AWAY: Duration = days(14);
const KEYMASTER_DEAD: Duration = days(35);

export async function keyYear(options: KeyYearOptions): Promise<KeyYearReport> {
  const world = await KeyWorld.form(options.seed, options.nodes, options.onLine ?? (() => {}));
  try {
    return await new KeyYear(world, options).run();
  } finally {
    await world.close();
  }
}

class KeyYear {
  readonly #world: KeyWorld;
  readonly #options: KeyYearOptions;
  readonly #violations: string[] = [];
  /** Since when each host could have been renewed, or people should have been told. */
  readonly #since = new Map<string, number>();
  readonly #ranOut = new Set<string>();
  readonly #toldOf = new Set<string>();
  /** Whose host nobody switches on again. */
  #dead: KeyHost | undefined;
  #restarts = 0;
  #absences = 0;

  constructor(world: KeyWorld, options: KeyYearOptions) {
    this.#world = world;
    this.#options = options;
  }

  async run(): Promise<KeyYearReport> {
    const { timeline } = this.#world;
    await this.#nameStandby();
    this.#look();
    this.#plan();
    await timeline.runUntil(timeline.now + days(this.#options.days));
    await this.#everyoneOn();
    for (const host of this.#world.hosts) this.#expect(host, "valid", "at the end of the year");
    await this.#keymasterDies();
    return {
      seed: this.#options.seed,
      renewals: this.#world.hosts.reduce((sum, host) => sum + host.renewals, 0),
      restarts: this.#restarts,
      absences: this.#absences,
      ranOut: this.#ranOut.size,
      told: this.#toldOf.size,
      violations: this.#violations,
    };
  }

  /** Of every other mesh; in the rest somebody types the recovery code. */
  #hasStandby(): boolean {
    return this.#options.seed % 2 === 0;
  }

  async #nameStandby(): Promise<void> {
    const [keymaster, heir] = this.#world.hosts;
    if (!this.#hasStandby() || keymaster === undefined || heir === undefined) return;
    await makeStandby(this.#world, keymaster, heir);
  }

  #violated(what: string): void {
    this.#world.say(`VIOLATED: ${what}`);
    if (this.#violations.length < 20)
      this.#violations.push(`day ${Math.floor(this.#world.timeline.now / days(1))}: ${what}`);
  }

  /** From the seed alone: restarts every week or so, absences of hours to ten days, and the keymaster's. */
  #plan(): void {
    const { timeline, hosts } = this.#world;
    const end = days(this.#options.days);
    const random = generator(this.#options.seed, "key schedule");
    for (const [place, host] of hosts.entries()) {
      for (let at = uniform(random, 0, days(14)); at < end; at += uniform(random, hours(1), days(14)))
        timeline.in(at, () => void this.#restart(host));
      if (place === 0) continue;
      for (let at = uniform(random, 0, days(40)); at < end; at += uniform(random, days(1), days(60))) {
        const length = chance(random, 0.3) ? ABSENCE_MAX : uniform(random, hours(1), ABSENCE_MAX);
        timeline.in(at, () => void this.#leave(host, length as Duration));
      }
    }
    const [keymaster] = hosts;
    if (keymaster === undefined) return;
    for (let at = uniform(random, days(5), days(60)); at < end; at += uniform(random, days(45), days(120)))
      timeline.in(at, () => void this.#leave(keymaster, KEYMASTER_AWAY));
  }

  async #restart(host: KeyHost): Promise<void> {
    if (!this.#world.isOn(host)) return;
    this.#restarts += 1;
    this.#world.stop(host);
    await this.#world.start(host);
  }

  async #leave(host: KeyHost, length: Duration): Promise<void> {
    if (!this.#world.isOn(host)) return;
    this.#absences += 1;
    this.#world.say(`${host.name} is off for ${(length / days(1)).toFixed(1)} days`);
    this.#world.stop(host);
    await this.#world.pass(length);
    await this.#back(host);
  }

  /** Whoever was off for days is in order within seconds, where the keymaster is there. */
  async #back(host: KeyHost): Promise<void> {
    // Its absence may have begun before its death.
    if (host === this.#dead) return;
    await this.#world.start(host);
    await this.#world.pass(SOON);
    const keymaster = this.#world.keymasterOf(host);
    if (keymaster === undefined || !this.#world.isOn(keymaster)) return;
    const waiting = keymaster === host ? this.#world.hosts : [host];
    for (const each of waiting)
      if (this.#world.isOn(each)) this.#expect(each, "valid", `ten seconds after ${host.name} came back`);
  }

  async #everyoneOn(): Promise<void> {
    for (const host of this.#world.hosts) await this.#world.start(host);
    await this.#settle(hours(2));
  }

  async #settle(length: Duration): Promise<void> {
    const { timeline } = this.#world;
    await timeline.runUntil(timeline.now + length);
  }

  #expect(host: KeyHost, wanted: string, when: string): void {
    const state = this.#world.stateOf(host);
    if (state !== wanted) this.#violated(`${host.name}'s certificate is ${state}, ${when}`);
  }

  /** What must hold at every moment, looked at now and then. */
  #look(): void {
    const { timeline, hosts } = this.#world;
    for (const host of hosts) {
      const state = this.#world.stateOf(host);
      const isOn = this.#world.isOn(host);
      const isBad = isOn && (state === "late" || state === "expired");
      if (isBad && state === "expired") this.#ranOut.add(`${host.name} ${host.renewals}`);
      if (isOn && host.late !== undefined) this.#toldOf.add(`${host.name} ${host.renewals}`);
      this.#mustEnd(`${host.name} could be renewed`, this.#world.couldRenew(host), RENEWED_WITHIN);
      this.#mustEnd(`${host.name} is ${state} untold`, isBad && host.late === undefined, TOLD_WITHIN);
      if (isOn && host.late !== undefined && !isBad)
        this.#violated(`${host.name} is called late and is ${state}`);
    }
    timeline.in(LOOK_EVERY, () => this.#look());
  }

  #mustEnd(what: string, holds: boolean, within: Duration): void {
    const { now } = this.#world.timeline;
    const since = this.#since.get(what);
    if (!holds) this.#since.delete(what);
    else if (since === undefined) this.#since.set(what, now);
    else if (now - since > within) {
      this.#violated(`${what} for ${Math.round((now - since) / minutes(1))} minutes`);
      this.#since.set(what, now);
    }
  }

  /** For more than a month: all run out and say so, may change nothing, and one promotion heals them. */
  async #keymasterDies(): Promise<void> {
    const [dead, heir, ...others] = this.#world.hosts;
    if (dead === undefined || heir === undefined) return;
    this.#dead = dead;
    this.#world.stop(dead);
    await this.#settle(KEYMASTER_DEAD);
    for (const host of [heir, ...others]) {
      this.#expect(host, "expired", "its keymaster dead for 35 days");
      if (host.late === undefined) this.#violated(`${host.name} ran out, and nobody was told`);
    }
    await this.#world.during(promote(this.#world, heir, this.#hasStandby() ? "standby" : "root"));
    for (const host of others)
      if (this.#mayConfigure(heir, host))
        this.#violated(`${host.name} may change things with a certificate that ran out`);
    await this.#world.gossip();
    await this.#settle(SOON);
    for (const host of [heir, ...others]) {
      this.#expect(host, "valid", "ten seconds after another keymaster was made");
      if (host.late !== undefined) this.#violated(`${host.name} is renewed, and people were not told`);
      if (host !== heir && !this.#mayConfigure(heir, host))
        this.#violated(`${host.name} is renewed and may change nothing`);
    }
    await this.#world.start(dead);
    await this.#settle(SOON);
    this.#expect(dead, "valid", "back from the dead");
    if (this.#world.keymasterOf(dead) !== heir)
      this.#violated(`${dead.name} came back and does not step down`);
  }

  /** As the daemon of the keymaster decides about a peer whose session is as old as its last certificate there. */
  #mayConfigure(keymaster: KeyHost, { identity }: KeyHost): boolean {
    const certificateExpires = identity.certificateExpires;
    const wall = this.#world.wall();
    const session = { certificateExpires, certificateFlagged: certificateExpires < wall };
    const state = { peers: new Map([[identity.id, { session }]]) } as unknown as NodeState;
    return mayConfigure(identity.id, { identity: keymaster.identity, state, wall });
  }
}
