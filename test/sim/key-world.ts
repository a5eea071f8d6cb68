/**
 * A mesh as far as its keys go, in virtual time: real state folders, identities, keymaster, certificates and
 * rosters, and the daemon's own renewal. Who reaches whom, and when, is simulated; beats are not.
 */

import type { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCertificates } from "../../src/adapters/pki/certificates.ts";
import { type CertificateState, certificateState, wantsRenewal } from "../../src/core/pki/renewal.ts";
import { compareRanks } from "../../src/core/roster.ts";
import { type Identity, loadIdentity } from "../../src/daemon/identity.ts";
import { initMesh, type NewMesh } from "../../src/daemon/init.ts";
import type { OwnCertificate } from "../../src/daemon/own-certificate.ts";
import { createRenewal, type Renewal } from "../../src/daemon/renewal.ts";
import type { Random } from "../../src/kit/random.ts";
import { failure, type Result, unwrap } from "../../src/kit/result.ts";
import {
  type Duration,
  hours,
  type Instant,
  minutes,
  seconds,
  type WallTime,
  wallTime,
} from "../../src/kit/time.ts";
import { rankOf } from "../../src/wire/roster.ts";
import { admit } from "./key-door.ts";
import { generator } from "./seeds.ts";
import { Timeline } from "./timeline.ts";

/** 2026-01-01T00:00:00Z. */
const ORIGIN = 1_767_225_600_000;
/** Asking somebody who is not there takes this long. */
const UNANSWERED: Duration = seconds(3);
/** The keymaster enters renewals in the roster this long after the first of them. */
const PUBLISH_AFTER: Duration = minutes(10);
const GOSSIP_EVERY: Duration = hours(1);

export interface KeyHost {
  readonly name: string;
  readonly stateDir: string;
  readonly random: Random;
  identity: Identity;
  /** Undefined while the host is off. */
  renewal: Renewal | undefined;
  /** What people were last told keeps it from being renewed. */
  late: string | undefined;
  /** Certificates it was given. */
  renewals: number;
}

export class KeyWorld {
  readonly timeline: Timeline = new Timeline();
  readonly hosts: KeyHost[] = [];
  mesh: NewMesh | undefined;
  readonly #folder: string;
  readonly #say: (line: string) => void;
  #publishing = false;

  private constructor(folder: string, say: (line: string) => void) {
    this.#folder = folder;
    this.#say = say;
  }

  /** All joined and on. The first is the keymaster. */
  static async form(seed: number, nodes: number, say: (line: string) => void): Promise<KeyWorld> {
    // Written often, and worth nothing after the run.
    const base = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
    const world = new KeyWorld(await mkdtemp(join(base, "balefire-keys-")), say);
    const stateDirOf = (place: number): string => join(world.#folder, `n${place}`);
    const addresses = ["127.0.0.1"];
    world.mesh = unwrap(
      await initMesh({ stateDir: stateDirOf(0), name: "n0", addresses, clock: world.wall }),
    );
    const first = unwrap(await loadIdentity(stateDirOf(0), { clock: world.wall }));
    for (let place = 1; place < nodes; place += 1)
      await admit(first, {
        name: `n${place}`,
        stateDir: stateDirOf(place),
        address: `127.0.0.${place + 1}`,
        clock: world.wall,
      });
    for (let place = 0; place < nodes; place += 1) {
      const name = `n${place}`;
      const stateDir = stateDirOf(place);
      const identity = unwrap(await loadIdentity(stateDir, { clock: world.wall }));
      const random = generator(seed, name);
      world.hosts.push({
        name,
        stateDir,
        random,
        identity,
        renewal: undefined,
        late: undefined,
        renewals: 0,
      });
    }
    for (const host of world.hosts) await world.start(host);
    world.#gossipForever();
    return world;
  }

  close(): Promise<void> {
    for (const host of this.hosts) this.stop(host);
    return rm(this.#folder, { recursive: true, force: true });
  }

  readonly wall = (): WallTime => wallTime(Math.floor(ORIGIN + this.timeline.now));

  say(line: string): void {
    this.#say(`${new Date(this.wall()).toISOString()} ${line}`);
  }

  isOn = ({ renewal }: KeyHost): boolean => renewal !== undefined;

  /** Who signs, as this host knows. */
  keymasterOf({ identity }: KeyHost): KeyHost | undefined {
    const { keymaster } = identity.keeper.view();
    return this.hosts.find((host) => host.identity.id === keymaster);
  }

  stateOf({ identity: { certificate } }: KeyHost): CertificateState {
    return certificateState(certificate.facts, certificate.facts.serial, this.wall());
  }

  leafOf({ identity }: KeyHost): X509Certificate {
    const [leaf] = unwrap(parseCertificates(identity.certificatePem));
    if (leaf === undefined) throw new Error("an identity without a certificate");
    return leaf;
  }

  /** It wants a certificate and could have one. */
  couldRenew(host: KeyHost): boolean {
    const keymaster = this.keymasterOf(host);
    return (
      this.isOn(host) && wantsRenewal(this.stateOf(host)) && keymaster !== undefined && this.isOn(keymaster)
    );
  }

  /** Begins with what lies in its state folder, as a daemon does. */
  async start(host: KeyHost): Promise<void> {
    if (host.renewal !== undefined) return;
    host.identity = unwrap(await this.during(loadIdentity(host.stateDir, { clock: this.wall })));
    const { keeper, certificate } = host.identity;
    host.renewal = this.#renewalOf(host, certificate);
    let signer = keeper.current().signed.signer;
    keeper.onChange(({ signed }) => {
      if (signed.signer !== signer) host.renewal?.keymasterChanged();
      signer = signed.signer;
    });
    host.renewal.start();
    await this.gossip();
    for (const other of this.hosts) if (this.keymasterOf(other) === host) other.renewal?.keymasterReached();
  }

  /** Nothing is said or kept: the power is gone. */
  stop(host: KeyHost): void {
    host.renewal?.stop();
    host.renewal = undefined;
  }

  #renewalOf(host: KeyHost, certificate: OwnCertificate): Renewal {
    const { timeline } = this;
    return createRenewal({
      certificate: {
        get facts() {
          return certificate.facts;
        },
        request: () => certificate.request(),
        replace: (pem, now) => this.during(certificate.replace(pem, now)),
      },
      sign: (csr) => this.#sign(host, csr),
      onRenewed: (before) => {
        host.renewals += 1;
        this.say(`${host.name} is renewed, was ${before}`);
      },
      onLate: (late) => {
        host.late = late;
        if (late !== undefined) this.say(`${host.name}: ${late}`);
      },
      log: () => {},
      wall: this.wall,
      now: () => timeline.now as Instant,
      chance: () => host.random.next(),
      timer: (wait, then) => {
        let wanted = true;
        timeline.in(wait, () => {
          if (wanted) then();
        });
        return () => {
          wanted = false;
        };
      },
    });
  }

  async #sign(host: KeyHost, csr: string): Promise<Result<string>> {
    this.timeline.settle();
    const asked = this.keymasterOf(host);
    if (asked === undefined || !this.isOn(asked)) {
      await this.pass(UNANSWERED);
      return failure("keymaster-unreachable", "the keymaster did not answer", undefined, true);
    }
    const keymaster = asked.identity.seat.current();
    if (keymaster === undefined) return failure("not-keymaster", "this node is not the keymaster");
    const signed = await this.during(keymaster.renew(host.identity.id, csr));
    if (signed.ok) this.#publishSoon(asked);
    return signed;
  }

  #publishSoon(host: KeyHost): void {
    if (this.#publishing) return;
    this.#publishing = true;
    this.timeline.in(PUBLISH_AFTER, () => {
      this.#publishing = false;
      const keymaster = host.identity.seat.current();
      if (!this.isOn(host) || keymaster === undefined) return;
      void this.during(keymaster.publishRenewals()).then(() => this.gossip());
    });
  }

  /** Whoever is on holds the newest roster that any of them holds. */
  async gossip(): Promise<void> {
    const on = this.hosts.filter(this.isOn);
    const held = (host: KeyHost) => host.identity.keeper.current();
    const [newest] = [...on].sort((a, b) => compareRanks(rankOf(held(b)), rankOf(held(a))));
    if (newest === undefined) return;
    const { encoded } = held(newest);
    await this.during(
      Promise.all(
        on
          .filter((host) => held(host).encoded !== encoded)
          .map((host) => host.identity.keeper.consider(encoded)),
      ),
    );
  }

  #gossipForever(): void {
    this.timeline.in(GOSSIP_EVERY, () => {
      void this.gossip();
      this.#gossipForever();
    });
  }

  /** Resolves when so much virtual time is over. */
  pass(length: Duration): Promise<void> {
    return new Promise((resolve) => {
      this.timeline.in(length, () => {
        resolve();
        this.timeline.settle();
      });
    });
  }

  /** Virtual time stands still meanwhile: signing and writing take real time. */
  during<T>(work: Promise<T>): Promise<T> {
    return this.timeline.during(work);
  }
}
