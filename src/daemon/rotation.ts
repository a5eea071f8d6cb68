/**
 * A change of roots that goes on by itself. The keymaster's daemon drives it; all that it must remember is
 * in the roster, so whoever signs after a crash or a takeover drives on. Every daemon does its own part.
 */
import * as z from "zod";
import { rootAbove, rootOfChain } from "../adapters/pki/roster-signature.ts";
import type { LateRootChange } from "../core/io.ts";
import {
  type RotatingNode,
  type RotationFacts,
  type RotationStep,
  rotationStep,
  type WaitedFor,
  wantsOtherRoot,
} from "../core/pki/rotation.ts";
import type { NodeId } from "../core/types.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { type Duration, minutes, ms, seconds, type WallTime } from "../kit/time.ts";
import { pinText, ROSTER_NODES_MAX, type Roster, type RosterRotation, uuidText } from "../wire/roster.ts";
import type { KeymasterSeat } from "./keymaster-seat.ts";
import type { Questions } from "./questions.ts";
import type { Renewal } from "./renewal.ts";
import { lateRootChange } from "./root-views.ts";
import type { RosterKeeper } from "./roster-keeper.ts";
import { Serial } from "./serial.ts";

const LOOK_EVERY: Duration = ms(500);
const ACQUAINTED_AFTER: Duration = minutes(5);
/** Longer than a renewal takes, its answer included. */
const RENEW_AGAIN_AFTER: Duration = seconds(20);
/** A node says this at once, or the question was lost with its session: it is asked again. */
const WORD_TIMEOUT: Duration = seconds(3);
/** Asked at once: each may take as long as a session takes to stand. */
const ASKED_AT_ONCE = 16;

export interface RotationOptions {
  /** This node's id. */
  readonly self: NodeId;
  readonly keeper: Pick<RosterKeeper, "current" | "onChange">;
  readonly seat: Pick<KeymasterSeat, "current" | "office" | "recertify">;
  /** Leaf, then intermediate, as peers are shown them. */
  readonly certificatePem: () => string;
  readonly renewal: Pick<Renewal, "hasten">;
  readonly questions: Pick<Questions, "ask" | "serve">;
  /** Nodes with which there is a session. */
  readonly present: () => ReadonlySet<NodeId>;
  readonly log: (line: string) => void;
  readonly wall: () => WallTime;
  /** On the keymaster: the change takes so long that a person should know; undefined: none is under way. */
  readonly onLate: (late: LateRootChange | undefined) => void;
  /** Between two looks at who is still waited for; twice a second without. */
  readonly lookEvery?: Duration;
  /** Between two renewals that are asked for the root's sake; 20 s without. */
  readonly renewAgainAfter?: Duration;
}

/** A node's own word about itself. */
interface RotationWord {
  /** Of the roster it holds. */
  readonly generation: number;
  /** Pin of the root above the certificate that it shows; null when its roster does not list that. */
  readonly root: string | null;
  /** For whom the change waits, said by the node that drives it. */
  readonly waiting?: readonly WaitedFor[] | undefined;
}
const rotationWord: z.ZodType<RotationWord> = z.object({
  generation: z.number().int().positive(),
  root: pinText.nullable(),
  waiting: z
    .array(z.object({ node: uuidText, why: z.enum(["away", "roster", "certificate", "shows-old"]) }))
    .max(ROSTER_NODES_MAX)
    .optional(),
});

interface Chains {
  readonly roster: Roster;
  readonly pem: string;
  /** Pin of the root above this node's certificate; null when the roster does not list that. */
  readonly own: string | null;
  readonly signersBehind: readonly NodeId[];
}

export class Rotation {
  readonly #options: RotationOptions;
  readonly #words = new Map<NodeId, RotationWord>();
  /** Who answered when last asked: in a large mesh not everyone has a session with everyone. */
  readonly #answering = new Set<NodeId>();
  readonly #asking = new Map<NodeId, Promise<void>>();
  /** Whatever changes the rotation in the roster runs one after the other. */
  readonly #serial = new Serial();
  #timer: NodeJS.Timeout | undefined;
  #renewalTimer: NodeJS.Timeout | undefined;
  /** The root for whose sake a renewal was last asked for. */
  #renewingFor: string | undefined;
  #known: Chains | undefined;
  #looking = false;
  #started = false;
  #told = "";
  /** Undefined: nothing was told since this node signs; an incident may stand from before. */
  #toldLate: boolean | undefined;
  #drivenSince: WallTime | undefined;

  constructor(options: RotationOptions) {
    this.#options = options;
    options.questions.serve("rotation", async () => ok(this.#answer()));
    options.keeper.onChange(() => this.#rosterCame());
  }

  start(): void {
    this.#started = true;
    this.#rosterCame();
  }

  stop(): void {
    this.#started = false;
    clearTimeout(this.#timer);
    clearTimeout(this.#renewalTimer);
    this.#renewalTimer = undefined;
  }

  /** What would be done now, as far as this node knows; undefined while no change is under way. */
  step(): RotationStep | undefined {
    const facts = this.#facts();
    return facts === undefined ? undefined : rotationStep(facts);
  }

  /** The same, with what the node that drives it knows: whom it has asked, and who has answered. */
  async stepAsDriven(): Promise<RotationStep | undefined> {
    const step = this.step();
    if (step?.step !== "wait" || this.#drives()) return step;
    const { keymaster } = this.#roster();
    const word = this.#options.present().has(keymaster) ? await this.#ask(keymaster) : undefined;
    const asSeenHere = (): readonly WaitedFor[] => step.for.filter(({ why }) => why === "away");
    return { step: "wait", for: word?.ok ? (word.value.waiting ?? []) : asSeenHere() };
  }

  /** These nodes are not waited for from now on. Fails with `usage` when no change is under way. */
  waive(ids: readonly NodeId[]): Promise<Result<readonly NodeId[]>> {
    return this.#serial.run(async () => {
      const published = await this.#options.seat.office.publish(({ rotation }) => {
        if (rotation === undefined) return failure("usage", "no change of roots is under way");
        return ok({ rotation: { ...rotation, waived: [...new Set([...rotation.waived, ...ids])] } });
      });
      return published.ok ? ok(published.value.roster.rotation?.waived ?? []) : published;
    });
  }

  #rosterCame(): void {
    if (!this.#started) return;
    void this.#recertifySigner();
    this.#renewWhereNeeded();
    this.#tellLate();
    this.#lookSoon(0);
  }

  /** Peers and other tools are to be shown a chain to a root that stays. Who signed may not have known of it yet: asked again. */
  #renewWhereNeeded(): void {
    const { rotation, roots } = this.#roster();
    const wanted = rotation?.root ?? roots[0]?.pin;
    if (this.#renewalTimer !== undefined && wanted === this.#renewingFor) return;
    if (!wantsOtherRoot(this.#ownWord().root ?? undefined, rotation)) return;
    this.#renewingFor = wanted;
    this.#options.renewal.hasten();
    const again = (): void => {
      this.#renewalTimer = undefined;
      this.#renewWhereNeeded();
    };
    clearTimeout(this.#renewalTimer);
    this.#renewalTimer = setTimeout(again, this.#options.renewAgainAfter ?? RENEW_AGAIN_AFTER).unref();
  }

  /** Of a signing key, this node's or one that may become it: once the new root is known, its certificate goes with what is issued. */
  async #recertifySigner(): Promise<void> {
    const { rotation } = this.#roster();
    if (rotation?.phase === "announced") return;
    const done = await this.#recertify();
    if (!done.ok) this.#options.log(`the signing key's new certificate was not kept: ${done.error.message}`);
  }

  async #recertify(): Promise<Result<void>> {
    const { seat } = this.#options;
    const listed = this.#roster().succession.find(({ pin }) => pin === seat.office.signer?.pin);
    if (listed === undefined || listed.certificate.trim() === seat.office.signer?.certificate.trim())
      return ok(undefined);
    return seat.recertify(listed.certificate);
  }

  #lookSoon(wait: number): void {
    clearTimeout(this.#timer);
    if (!this.#started || !this.#drives()) return;
    this.#timer = setTimeout(() => void this.#look(), wait).unref();
  }

  #drives(): boolean {
    return this.#options.seat.current() !== undefined && this.#roster().rotation !== undefined;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    // The old root goes only when all who can be asked have been: one may have lost what was issued to it.
    try {
      const mayEnd = this.step()?.step === "finish";
      if (mayEnd) await this.#askEveryone();
      else this.#askAround();
      const done = await this.#serial.run(() => this.#goOn(mayEnd));
      this.#tell(done.ok ? "" : `the change of roots waits: ${done.error.message}`);
    } finally {
      this.#looking = false;
      this.#tellLate();
      this.#lookSoon(this.#options.lookEvery ?? LOOK_EVERY);
    }
  }

  /** One step, where it is due. What fails is tried again at the next look. */
  async #goOn(mayEnd: boolean): Promise<Result<unknown>> {
    const step = this.#drives() ? this.step() : undefined;
    if (step?.step === "issue") return this.#issue();
    return step?.step === "finish" && mayEnd ? this.#finish() : ok(undefined);
  }

  /** On disk before anybody asks: what is issued from then on comes with the new certificate. */
  async #issue(): Promise<Result<unknown>> {
    const certified = await this.#recertify();
    if (!certified.ok) return certified;
    this.#tell("everyone trusts the new root: certificates are issued under it");
    return this.#publish((roster, rotation) => ({
      rotation: { ...rotation, phase: "issuing" },
      // The first is what join tokens name.
      roots: [...roster.roots].sort(
        (a, b) => Number(b.pin === rotation.root) - Number(a.pin === rotation.root),
      ),
    }));
  }

  async #finish(): Promise<Result<unknown>> {
    this.#words.clear();
    this.#tell("every certificate is under the new root: the old one is dropped");
    return this.#publish((roster, rotation) => ({
      rotation: undefined,
      roots: roster.roots.filter(({ pin }) => pin === rotation.root),
    }));
  }

  #publish(
    edit: (roster: Roster, rotation: RosterRotation) => Pick<Partial<Roster>, "rotation" | "roots">,
  ): Promise<Result<unknown>> {
    return this.#options.seat.office.publish((roster) => {
      const { rotation } = roster;
      return rotation === undefined
        ? failure("usage", "no change of roots is under way")
        : ok(edit(roster, rotation));
    });
  }

  /** Nobody's silence delays the question to another: who does not answer is asked again at a later look. */
  #askAround(): void {
    const open = this.#unconfirmed().filter(({ id }) => !this.#asking.has(id));
    open.sort((a, b) => Number(b.present) - Number(a.present));
    for (const { id } of open.slice(0, ASKED_AT_ONCE - this.#asking.size)) void this.#askOne(id);
  }

  async #askEveryone(): Promise<void> {
    const queue = [...this.#unconfirmed()];
    const work = async (): Promise<void> => {
      for (let node = queue.shift(); node !== undefined; node = queue.shift()) await this.#askOne(node.id);
    };
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, work));
  }

  /** Of whom it is not known by their own word that they are as far as the change. */
  #unconfirmed(): RotatingNode[] {
    const facts = this.#facts();
    if (facts === undefined || rotationStep(facts).step === "blocked") return [];
    return facts.nodes.filter(({ id }) => !facts.waived.includes(id) && !this.#isConfirmed(id, facts));
  }

  #isConfirmed(id: NodeId, { phase, root, generation }: RotationFacts): boolean {
    const word = id === this.#options.self ? this.#ownWord() : this.#words.get(id);
    if (word === undefined || word.generation < generation) return false;
    return phase === "announced" || word.root === root;
  }

  #ask(id: NodeId): Promise<Result<RotationWord>> {
    return this.#options.questions.ask(id, {
      method: "rotation",
      body: {},
      answer: rotationWord,
      unanswered: { code: "node-unreachable", message: "no answer", retry: true },
      timeout: WORD_TIMEOUT,
    });
  }

  #askOne(id: NodeId): Promise<void> {
    const asked = this.#asking.get(id) ?? this.#wordOf(id).finally(() => this.#asking.delete(id));
    this.#asking.set(id, asked);
    return asked;
  }

  async #wordOf(id: NodeId): Promise<void> {
    const word = await this.#ask(id);
    if (!word.ok) {
      this.#answering.delete(id);
      return;
    }
    this.#answering.add(id);
    this.#words.set(id, word.value);
    const facts = this.#facts();
    if (facts !== undefined && this.#isConfirmed(id, facts)) this.#lookSoon(0);
  }

  #facts(): RotationFacts | undefined {
    const roster = this.#roster();
    const { rotation } = roster;
    if (rotation === undefined) return undefined;
    const present = this.#options.present();
    return {
      phase: rotation.phase,
      root: rotation.root,
      generation: roster.generation,
      openedBy: roster.opening.root,
      signersBehind: this.#chains().signersBehind,
      waived: rotation.waived,
      nodes: roster.nodes.map(({ id, root }) => this.#nodeFacts(id, root, present)),
    };
  }

  /** Its own word counts most; of who has not been asked, the roster knows what was issued. */
  #nodeFacts(id: NodeId, listed: string | undefined, present: ReadonlySet<NodeId>): RotatingNode {
    const { self, seat } = this.#options;
    const own = id === self ? this.#ownWord() : undefined;
    const word = own ?? this.#words.get(id);
    const issued = seat.current()?.issuedTo(id)?.root ?? listed;
    const root = word?.root === this.#roster().rotation?.root ? (word?.root ?? undefined) : issued;
    return {
      id,
      present: own !== undefined || present.has(id) || this.#answering.has(id),
      generation: word?.generation,
      root,
      showsAnother: word !== undefined && word.root !== root,
    };
  }

  #answer(): RotationWord {
    const step = this.#drives() ? this.step() : undefined;
    return step?.step === "wait" ? { ...this.#ownWord(), waiting: step.for } : this.#ownWord();
  }

  #ownWord(): RotationWord {
    return { generation: this.#roster().generation, root: this.#chains().own };
  }

  /** What certificates lead to is worked out once for each roster and each certificate: `status` asks often. */
  #chains(): Chains {
    const roster = this.#roster();
    const pem = this.#options.certificatePem();
    if (this.#known?.roster !== roster || this.#known.pem !== pem) {
      const isBehind = (certificate: string): boolean =>
        rootAbove(certificate, roster.roots) !== roster.rotation?.root;
      const behind = roster.succession.filter(({ certificate }) => isBehind(certificate));
      const signersBehind = roster.rotation === undefined ? [] : behind.map(({ node }) => node);
      this.#known = { roster, pem, own: rootOfChain(pem, roster.roots) ?? null, signersBehind };
    }
    return this.#known;
  }

  #roster(): Roster {
    return this.#options.keeper.current().roster;
  }

  /** It is late until it is over, also while it goes on: one message for each. */
  #tellLate(): void {
    const roster = this.#roster();
    const { seat, wall, onLate } = this.#options;
    if (seat.current() === undefined) this.#toldLate = this.#drivenSince = undefined;
    if (seat.current() === undefined || !this.#started) return;
    this.#drivenSince ??= wall();
    const late = lateRootChange(roster, this.step(), wall());
    // Whoever has just started, or taken over, has yet to reach the others.
    const isNew = wall() - this.#drivenSince < ACQUAINTED_AFTER;
    if (late === undefined ? roster.rotation !== undefined : isNew) return;
    if ((late !== undefined) === this.#toldLate) return;
    this.#toldLate = late !== undefined;
    onLate(late);
  }

  /** Once for each thing to say: a look comes twice a second. */
  #tell(line: string): void {
    if (line !== "" && line !== this.#told) this.#options.log(line);
    this.#told = line;
  }
}
