/**
 * A few nodes in this process, on real state folders, each with its part in a change of roots. Rosters and
 * questions pass from one to another by a call; whoever is off hears and answers nothing.
 */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { rootOfChain } from "../../src/adapters/pki/roster-signature.ts";
import { type Checkpoint, StateFolder } from "../../src/adapters/state/folder.ts";
import type { LateRootChange } from "../../src/core/io.ts";
import { compareRanks } from "../../src/core/roster.ts";
import { type Identity, loadIdentity } from "../../src/daemon/identity.ts";
import { initMesh } from "../../src/daemon/init.ts";
import { joinMesh } from "../../src/daemon/join.ts";
import type { Answerer, Questions } from "../../src/daemon/questions.ts";
import { keepRecoveryCopy } from "../../src/daemon/recovery-copy.ts";
import { createRootDesk } from "../../src/daemon/root-desk.ts";
import { Rotation } from "../../src/daemon/rotation.ts";
import { orThrow } from "../../src/daemon/shared-config.ts";
import { FailureError, failure, ok, unwrap } from "../../src/kit/result.ts";
import { hours, ms, seconds, type WallTime, wallTime } from "../../src/kit/time.ts";
import { type Roster, rankOf } from "../../src/wire/roster.ts";
import { afterThisTest, answerWith, listening, newHost, temporaryFolder } from "./join-rig.ts";

const LOOK_EVERY = ms(20);
/** A renewal here asks until it is answered: this must not make a second one beside it. */
const RENEW_AGAIN_AFTER = seconds(20);
const RETRY_MS = 5;
const PATIENCE_MS = 30_000;

export type RootHandlers = ReturnType<typeof createRootDesk>;

export interface RootNode {
  readonly name: string;
  readonly identity: Identity;
  readonly rotation: Rotation;
  readonly handlers: RootHandlers;
  readonly log: string[];
  /** What it had told of a change that takes too long. */
  readonly late: (LateRootChange | undefined)[];
  on: boolean;
}

/** Each look at it is a second later: nobody waits for the pause between two renewals. */
export function hurriedClock(): () => WallTime {
  let looks = 0;
  return () => {
    looks += 1;
    return wallTime(Date.now() + looks * 1000);
  };
}

/** The state folders of a mesh of so many; the first one's node is the keymaster. */
export async function makeFolders(
  size: number,
): Promise<{ readonly folders: string[]; readonly code: string }> {
  const first = join(await temporaryFolder(), "state");
  const { server, address } = await listening();
  const mesh = unwrap(await initMesh({ stateDir: first, name: "n0", addresses: [address] }));
  const identity = unwrap(await loadIdentity(first));
  const keymaster = identity.seat.current();
  if (keymaster === undefined) throw new Error("init made no keymaster");
  answerWith(server, identity, (socket) => void keymaster.handleJoin(socket));
  const folders = [first];
  for (let at = 1; at < size; at += 1) {
    const token = unwrap(await keymaster.createToken(`n${at}`, hours(1))).token;
    const host = await newHost(token, { addresses: [`127.0.0.${at + 1}`] });
    unwrap(await joinMesh(host));
    folders.push(host.stateDir);
  }
  return { folders, code: mesh.recoveryCode };
}

/** Copies of the folders as they are at this moment. */
export async function snapshot(folders: readonly string[]): Promise<string[]> {
  const base = await temporaryFolder();
  return copyNow(folders, base);
}

export function copyNow(folders: readonly string[], base: string): string[] {
  return folders.map((folder, at) => {
    const copy = join(base, String(at));
    cpSync(folder, copy, { recursive: true });
    return copy;
  });
}

export class RootRig {
  readonly nodes: RootNode[] = [];
  readonly #clock = hurriedClock();
  /** Of the clock by which a change takes too long. */
  aheadMs = 0;
  #closed = false;

  /** `checkpoint`: called after each step of the first node that changes its disk. */
  static async start(
    folders: readonly string[],
    {
      off = [],
      checkpoint,
      aheadMs = 0,
    }: {
      readonly off?: readonly number[];
      readonly checkpoint?: Checkpoint;
      readonly aheadMs?: number;
    } = {},
  ): Promise<RootRig> {
    const rig = new RootRig();
    rig.aheadMs = aheadMs;
    afterThisTest(() => rig.close());
    for (const [at, folder] of folders.entries())
      await rig.#add(folder, !off.includes(at), at === 0 ? checkpoint : undefined);
    for (const node of rig.nodes) if (node.on) rig.#begin(node);
    return rig;
  }

  async #add(folder: string, on: boolean, checkpoint: Checkpoint | undefined): Promise<void> {
    const clock = this.#clock;
    const identity = unwrap(
      await loadIdentity(folder, { clock, ...(checkpoint === undefined ? {} : { checkpoint }) }),
    );
    const log: string[] = [];
    const late: RootNode["late"] = [];
    const answerers = new Map<string, Answerer>();
    const questions: Pick<Questions, "ask" | "serve"> = {
      serve: (method, answerer) => void answerers.set(method, answerer),
      ask: async (to, question) => {
        const target = this.nodes.find(({ identity: { id } }) => id === to);
        const answerer =
          target?.on === true && node.on ? this.#served.get(target)?.get(question.method) : undefined;
        if (answerer === undefined) return { ok: false, error: question.unanswered };
        const answer = await answerer(identity.id, question.body);
        return answer.ok ? ok(question.answer.parse(answer.value)) : answer;
      },
    };
    const rotation = new Rotation({
      self: identity.id,
      keeper: identity.keeper,
      seat: identity.seat,
      certificatePem: () => identity.certificatePem,
      renewal: { hasten: () => void this.#renew(node) },
      questions,
      present: () => new Set(this.nodes.filter((each) => each.on).map((each) => each.identity.id)),
      log: (line) => log.push(line),
      wall: () => wallTime(Date.now() + this.aheadMs),
      onLate: (change) => late.push(change),
      lookEvery: LOOK_EVERY,
      renewAgainAfter: RENEW_AGAIN_AFTER,
    });
    const node: RootNode = {
      name: identity.name,
      identity,
      rotation,
      log,
      late,
      on,
      handlers: createRootDesk({
        identity,
        rotation,
        recoveryCopy: keepRecoveryCopy(new StateFolder(folder, checkpoint), identity.keeper, (line) =>
          log.push(line),
        ),
        state: () => ({ peers: new Map() }),
        wall: clock,
        log: (line) => log.push(line),
        requireKeymaster: () =>
          identity.seat.current() ??
          orThrow(failure("not-keymaster", `${identity.name} is not the keymaster`)),
      }),
    };
    this.nodes.push(node);
    this.#served.set(node, answerers);
    identity.keeper.onChange(() => void this.#spread());
  }
  readonly #served = new Map<RootNode, Map<string, Answerer>>();

  #begin(node: RootNode): void {
    node.on = true;
    void this.#spread();
    node.rotation.start();
  }

  turnOn(at: number): void {
    this.#begin(this.node(at));
  }

  turnOff(at: number): void {
    const node = this.node(at);
    node.on = false;
    node.rotation.stop();
  }

  node(at: number): RootNode {
    const node = this.nodes[at];
    if (node === undefined) throw new Error(`there is no node ${at}`);
    return node;
  }

  roster(at: number): Roster {
    return this.node(at).identity.keeper.current().roster;
  }

  /** Pin of the root above what this node shows. */
  rootOf(at: number): string | undefined {
    return rootOfChain(this.node(at).identity.certificatePem, this.roster(at).roots);
  }

  /** Everyone who is on is offered the best roster that anyone has who is on. */
  async #spread(): Promise<void> {
    if (this.#closed) return;
    const on = this.nodes.filter((node) => node.on);
    const [best] = on
      .map(({ identity }) => identity.keeper.current())
      .sort((a, b) => compareRanks(rankOf(b), rankOf(a)));
    if (best === undefined) return;
    for (const { identity, log } of on) {
      if (identity.keeper.current().hash === best.hash) continue;
      const considered = await identity.keeper.consider(best.encoded);
      if (!considered.ok) log.push(considered.error.message);
    }
  }

  async #renew(node: RootNode): Promise<void> {
    while (!this.#closed) {
      const keymaster = this.nodes.find(({ on, identity }) => on && identity.seat.current() !== undefined);
      const { certificate, id } = node.identity;
      const signed = node.on
        ? await keymaster?.identity.seat.current()?.renew(id, certificate.request())
        : undefined;
      if (signed?.ok === true) {
        const replaced = await certificate.replace(signed.value, this.#clock());
        if (replaced.ok || this.#closed) return;
        throw new FailureError(replaced.error);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** The two steps of the command: shows the code, and has it count. */
  async rotate(at: number, code: string, waive: readonly string[] = []): Promise<string> {
    const { handlers } = this.node(at);
    const { ticket, recoveryCode } = await handlers["root-rotate"]({ code, waive });
    await handlers["offer-take"]({ ticket });
    return recoveryCode;
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    for (const began = Date.now(); !isSo(); ) {
      if (Date.now() - began > PATIENCE_MS) throw new Error(`${what} did not happen\n${this.#describe()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Everyone who is on trusts one root, and shows a certificate under it. */
  isDone(root: string): boolean {
    return this.nodes.every((node, at) => {
      const { roots, rotation } = this.roster(at);
      if (!node.on) return true;
      return (
        rotation === undefined && roots.map(({ pin }) => pin).join() === root && this.rootOf(at) === root
      );
    });
  }

  #describe(): string {
    return this.nodes
      .map((node, at) => {
        const { rotation, roots, term, epoch } = this.roster(at);
        const step = JSON.stringify(node.rotation.step());
        return `${node.name} on=${node.on} ${term}/${epoch} ${rotation?.phase} ${roots.length} ${step}\n${node.log.join("\n")}`;
      })
      .join("\n");
  }

  close(): void {
    this.#closed = true;
    for (const { rotation } of this.nodes) rotation.stop();
  }
}
