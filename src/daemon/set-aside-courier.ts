/** Brings rosters that have lost to who signs now, so that a person can decide about what they had changed. */
import type { NodeId } from "../core/types.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { type Duration, seconds, type WallTime } from "../kit/time.ts";
import { rosterHash, type SignedRoster, signedRoster } from "../wire/roster.ts";
import type { Identity } from "./identity.ts";
import { NOT_KEYMASTER, type Questions } from "./questions.ts";
import { askToSetAside } from "./standby-questions.ts";

/** The keymaster may be away, or not yet know that it signs. */
const AGAIN_AFTER: Duration = seconds(30);
/** At first it may be about to hear of its own term, and sessions are being made. */
const FIRST_AFTER: Duration = seconds(1);

export interface CourierOptions {
  readonly identity: Identity;
  readonly questions: Questions;
  readonly wall: () => WallTime;
  readonly log: (line: string) => void;
}

export interface Courier {
  /** Begins to hand in what is there, and what comes. */
  start(): void;
  stop(): void;
}

export function createCourier({ identity, questions, wall, log }: CourierOptions): Courier {
  const { keeper, seat, id } = identity;
  let timer: NodeJS.Timeout | undefined;
  let stopped = true;

  const deliver = async (lost: SignedRoster): Promise<Result<unknown>> => {
    const keymaster = seat.current();
    if (keymaster !== undefined) return take(lost, id);
    return askToSetAside(questions, keeper.current().roster.keymaster, lost);
  };

  const take = async (lost: SignedRoster, from: NodeId): Promise<Result<{ readonly taken: boolean }>> => {
    const keymaster = seat.current();
    if (keymaster === undefined) return NOT_KEYMASTER;
    const taken = await keymaster.setAside.take(lost, wall());
    if (!taken.ok) return taken;
    if (taken.value === "listed")
      log(
        `what another keymaster has signed is set aside, from node ${from}: see \`balefire keymaster show\``,
      );
    return ok({ taken: taken.value === "listed" });
  };

  const deliverAll = async (): Promise<void> => {
    for (const lost of keeper.displaced.list()) {
      const delivered = await deliver(lost);
      // Refused for what it is, it will never be taken.
      const isOver = delivered.ok || delivered.error.code === "roster-refused";
      if (isOver) await keeper.displaced.forget(rosterHash(lost.body));
    }
    if (keeper.displaced.list().length > 0) soon(AGAIN_AFTER);
  };

  const soon = (wait: Duration): void => {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => void deliverAll(), wait).unref();
  };

  questions.serve("set-aside", async (from, body) => {
    const lost = signedRoster.safeParse(body);
    if (!lost.success) return failure("protocol-violation", "the roster cannot be read");
    return take(lost.data, from);
  });
  seat.onChange((keymaster) => {
    if (keymaster !== undefined) return;
    // Another node lists them from now on.
    void seat.office.setAside.handOver().then(async (left) => {
      for (const each of left) await keeper.displaced.keep(each);
      soon(FIRST_AFTER);
    });
  });
  keeper.onChange(() => {
    if (keeper.displaced.list().length > 0) soon(FIRST_AFTER);
  });

  return {
    start: () => {
      stopped = false;
      if (keeper.displaced.list().length > 0) soon(FIRST_AFTER);
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
