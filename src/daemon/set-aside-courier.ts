/** Brings rosters that have lost to who signs now, so that a person can decide about what they had changed. */
import { showRank } from "../core/roster.ts";
import type { NodeId } from "../core/types.ts";
import { type Failure, failure, ok, type Result } from "../kit/result.ts";
import { type Duration, seconds, type WallTime } from "../kit/time.ts";
import {
  encodeSigned,
  parseSigned,
  rankOf,
  rosterHash,
  type SignedRoster,
  signedRoster,
} from "../wire/roster.ts";
import type { Identity } from "./identity.ts";
import { nodeName } from "./keymaster-views.ts";
import { NOT_KEYMASTER, type Questions } from "./questions.ts";
import { askToSetAside } from "./standby-questions.ts";

/** The keymaster may be away, or not yet know that it signs. */
const AGAIN_AFTER: Duration = seconds(30);
/** At first it may be about to hear of its own term, and sessions are being made. */
const FIRST_AFTER: Duration = seconds(1);

export interface CourierOptions {
  readonly identity: Pick<Identity, "keeper" | "seat" | "id">;
  readonly questions: Pick<Questions, "ask" | "serve">;
  readonly wall: () => WallTime;
  readonly log: (line: string) => void;
  /** What a person should look at. */
  readonly warn: (line: string) => void;
  /** Before what has come is handed in; 1 s without. */
  readonly firstAfter?: Duration;
  /** Before what could not be handed in is tried again; 30 s without. */
  readonly againAfter?: Duration;
}

export interface Courier {
  /** Begins to hand in what is there, and what comes. */
  start(): void;
  stop(): void;
}

/** One to hand in, and how this node forgets it once the keymaster has it. */
interface Parcel {
  readonly lost: SignedRoster;
  readonly forget: () => Promise<Result<void>>;
}

export function createCourier(options: CourierOptions): Courier {
  const { questions, wall, log, warn } = options;
  const { keeper, seat, id } = options.identity;
  const { displaced } = keeper;
  const { setAside } = seat.office;
  const firstAfter = options.firstAfter ?? FIRST_AFTER;
  const againAfter = options.againAfter ?? AGAIN_AFTER;
  /** What was last said of each: the same is not said every half minute. */
  const told = new Map<string, string>();
  const warned = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let mendTimer: NodeJS.Timeout | undefined;
  let stopped = true;
  let busy = false;
  /** Something came while the others were being handed in. */
  let more = false;

  const tell = (about: string, line: string): void => {
    if (told.get(about) !== line) log(line);
    told.set(about, line);
  };

  /** Where another node signs, it lists what this one had listed: that stays here until it does. */
  const parcels = (): readonly Parcel[] => [
    ...displaced.list().map((lost) => ({ lost, forget: () => displaced.forget(rosterHash(lost.body)) })),
    ...(signs() ? [] : setAside.undecided()).map((lost) => ({
      lost,
      forget: () => setAside.forget(rosterHash(lost.body), signs),
    })),
  ];
  const signs = (): boolean => seat.current() !== undefined;

  const take = async (lost: SignedRoster, from: NodeId): Promise<Result<{ readonly taken: boolean }>> => {
    if (!signs()) return NOT_KEYMASTER;
    const taken = await setAside.take(lost, wall());
    if (!taken.ok) {
      tell(from, `not set aside, from node ${from}: ${nameOf(lost)}: ${taken.error.message}`);
      return taken;
    }
    if (taken.value === "listed")
      log(`${nameOf(lost)} is set aside, from node ${from}: see \`balefire keymaster show\``);
    return ok({ taken: taken.value === "listed" });
  };

  const deliver = async ({ lost, forget }: Parcel): Promise<void> => {
    const hash = rosterHash(lost.body);
    const delivered = signs()
      ? await take(lost, id)
      : await askToSetAside(questions, keeper.current().roster.keymaster, lost);
    if (!delivered.ok && !isFinal(delivered.error)) {
      tell(hash, `${nameOf(lost)} waits for the keymaster: ${delivered.error.message}`);
      return;
    }
    if (!delivered.ok)
      warn(`${nameOf(lost)} is given up, the keymaster refuses it: ${delivered.error.message}`);
    else if (!signs()) log(`${nameOf(lost)} has lost, and is handed in to the keymaster`);
    const forgotten = await forget();
    if (forgotten.ok) told.delete(hash);
    else tell(hash, `${nameOf(lost)} is kept still: ${forgotten.error.message}`);
  };

  const deliverAll = async (): Promise<void> => {
    busy = true;
    try {
      for (const parcel of parcels()) if (!stopped) await deliver(parcel);
    } finally {
      busy = false;
    }
    if (parcels().length > 0) soon(more ? firstAfter : againAfter);
    more = false;
  };

  const soon = (wait: Duration): void => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => void deliverAll(), wait).unref();
  };

  /** Never twice at a time: each would forget what the other is asking about. */
  const wake = (): void => {
    if (parcels().length === 0) return;
    if (busy) more = true;
    else soon(firstAfter);
  };

  const warnOnce = (line: string): void => {
    if (!warned.has(line)) warn(line);
    warned.add(line);
  };

  /** What could not be read is read at last, or tried again: nothing is handed in of it meanwhile. */
  const putAsideDamaged = async (): Promise<void> => {
    let isUnread = false;
    for (const book of [displaced, setAside]) {
      const aside = await book.putAsideDamaged();
      const damage = book.damage();
      for (const { message, remedy = "" } of damage) warnOnce(`${message}. ${remedy}`);
      if (!aside.ok && !damage.includes(aside.error)) warnOnce(aside.error.message);
      isUnread ||= !aside.ok && aside.error.retry;
    }
    if (isUnread && !stopped) mendTimer = setTimeout(() => void putAsideDamaged(), againAfter).unref();
    wake();
  };

  questions.serve("set-aside", async (from, body) => {
    const lost = signedRoster.safeParse(body);
    if (!lost.success) return failure("protocol-violation", "the roster cannot be read");
    return take(lost.data, from);
  });
  displaced.onGivenUp((lost) => warn(`${nameOf(lost)} is given up: too many have lost since`));
  seat.onChange(wake);
  keeper.onChange(wake);

  return {
    start: () => {
      stopped = false;
      void putAsideDamaged();
      wake();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      clearTimeout(mendTimer);
    },
  };
}

/** Refused for what it is, it will never be taken. */
const isFinal = ({ code, retry }: Failure): boolean => code === "roster-refused" && !retry;

/** For the journal, so that a person can tell what it was when it is gone. */
function nameOf(lost: SignedRoster): string {
  const parsed = parseSigned(encodeSigned(lost));
  if (!parsed.ok) return `a roster that cannot be read (${rosterHash(lost.body)})`;
  const { roster, hash } = parsed.value;
  return `the roster ${hash.slice(0, 8)} of ${nodeName(roster, roster.keymaster)}, ${showRank(rankOf(parsed.value))}`;
}
