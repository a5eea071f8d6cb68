/**
 * Renews this node's own certificate in time, by itself: asks the keymaster, which may be this very
 * node, and tries again when it is away. When to, core/pki/renewal.ts decides.
 */
import type { CertificateFacts } from "../adapters/pki/certificates.ts";
import {
  type CertificateState,
  certificateState,
  renewalDueAt,
  retryAfter,
  wantsRenewal,
} from "../core/pki/renewal.ts";
import { type Failure, failure, ok, type Result } from "../kit/result.ts";
import {
  after,
  between,
  civilTime,
  type Duration,
  hours,
  type Instant,
  ms,
  seconds,
  type WallTime,
} from "../kit/time.ts";
import type { OwnCertificate } from "./own-certificate.ts";

/** A clock may be set, and a timer stands still while the host sleeps: it looks this often at least. */
const LOOK_EVERY_MAX: Duration = hours(1);
/** Its own daemon has just started, and others with it: the first try waits this long, and as long again at random. */
const FIRST_TRY_MS = 2000;
/** All nodes hear of a new keymaster together: they come to it within this long. */
const HASTE_SPREAD: Duration = seconds(2);
/** Other nodes' wishes are met this often: each costs the keymaster a signature. */
export const WISH_PAUSE: Duration = seconds(5);
/**
 * Nor may a member use up what the keymaster issues to another (issued-book.ts): of a certificate's life
 * this part passes between two wishes that are met though nothing is due. The keymaster's own are met.
 */
export const WISHES_PER_LIFE = 4;

/** Tries in vain before people are told that it is late. */
const FAILURES_TOLD = 3;
/** As if it had failed so often: what was renewed and does not hold by this clock is asked for in an hour. */
const RELAXED = 99;

export interface RenewalOptions {
  readonly certificate: Pick<OwnCertificate, "facts" | "request" | "replace">;
  /** Has a request signed; the answer is PEM, leaf and intermediate. */
  readonly sign: (csr: string) => Promise<Result<string>>;
  /** A new certificate is on disk and is to be shown from now on; `before`: how the old one stood. */
  readonly onRenewed: (before: CertificateState) => void;
  /** What keeps it from being renewed though it is late; undefined when nothing does. Told when it changes, and once at the start. */
  readonly onLate: (late: string | undefined) => void;
  readonly log: (line: string) => void;
  /** The time to go by: certificates are judged by it. */
  readonly wall: () => WallTime;
  /** Measures pauses: a wall clock that was a year ahead once must not hold the next try back for a year. */
  readonly now: () => Instant;
  /** 0 to 1; spreads the tries of nodes that began together. */
  readonly chance: () => number;
  /** Calls back after so long, unless what it returns is called before. Default: the process's own timers. */
  readonly timer?: (wait: Duration, then: () => void) => () => void;
}

const ownTimer = (wait: Duration, then: () => void): (() => void) => {
  const timer = setTimeout(then, wait).unref();
  return () => clearTimeout(timer);
};

export interface Try {
  readonly at: WallTime;
  /** Absent: it was renewed. */
  readonly failure?: Failure;
}

export interface Renewal {
  start(): void;
  stop(): void;
  /** Now, whenever it is due. */
  renew(): Promise<Result<CertificateFacts>>;
  /**
   * The same at another node's wish. Fails with `limit-reached` when the last wish came just now, or was met
   * not long ago and nothing is due: then only the keymaster's is met.
   */
  renewForPeer(signs: boolean): Promise<Result<CertificateFacts>>;
  /** Somebody signs who could not be asked before: whatever waits for that is tried within two seconds. */
  keymasterChanged(): void;
  /** There is a connection to the keymaster again: whoever asked in vain asks within two seconds. */
  keymasterReached(): void;
  /** Within two seconds, though it is not due: another issuer's certificate is wanted. */
  hasten(): void;
  /** The last try of this daemon; undefined if none. */
  lastTry(): Try | undefined;
  /** When it is tried next, as far as that is known now. */
  nextTryAt(): WallTime;
}

export function createRenewal(options: RenewalOptions): Renewal {
  const { certificate, wall, now, timer = ownTimer } = options;
  let failures = 0;
  let lastTry: Try | undefined;
  /** No try of its own before. */
  let pauseEnds = now();
  /** To be tried though it is not due. */
  let hastened = false;
  let wishedAt: Instant | undefined;
  let wishMetAt: Instant | undefined;
  /** Undefined: nothing has been told since this daemon started; an incident may stand from before. */
  let toldLate: boolean | undefined;
  let started = false;
  let stopTimer = (): void => {};
  let underWay: Promise<Result<CertificateFacts>> | undefined;

  const state = (): CertificateState => certificateState(certificate.facts, certificate.facts.serial, wall());
  const pauseFor = (length: number): void => {
    pauseEnds = after(now(), length as Duration);
  };

  const nextTryAt = (): WallTime => {
    const pause = Math.max(0, between(now(), pauseEnds));
    const due = hastened || wantsRenewal(state()) ? 0 : dueAt(certificate.facts);
    return Math.max(wall() + pause, due) as WallTime;
  };

  const tellLate = (): void => {
    const current = state();
    // A host that was off for weeks renews within seconds: nobody needs to hear of that.
    if (current !== "valid" && current !== "due" && failures < FAILURES_TOLD) return;
    const late = lateWords(certificate.facts, current, wall(), lastTry?.failure);
    if ((late !== undefined) === toldLate) return;
    toldLate = late !== undefined;
    options.onLate(late);
  };

  const succeeded = (before: CertificateState): Result<CertificateFacts> => {
    failures = 0;
    hastened = false;
    lastTry = { at: wall() };
    pauseFor(retryAfter(certificate.facts, RELAXED, options.chance()));
    options.log(`the certificate is renewed, until ${civilTime(certificate.facts.notAfter)}`);
    options.onRenewed(before);
    return ok(certificate.facts);
  };

  const attempt = async (isCurrent: () => boolean): Promise<Result<CertificateFacts>> => {
    const before = state();
    const signed = await options.sign(certificate.request());
    const replaced = signed.ok ? await certificate.replace(signed.value, wall()) : signed;
    if (replaced.ok) return succeeded(before);
    // One that was given up says nothing of whoever is to be asked now.
    if (!isCurrent()) return replaced;
    failures += 1;
    lastTry = { at: wall(), failure: replaced.error };
    pauseFor(retryAfter(certificate.facts, failures, options.chance()));
    if (failures === 1) options.log(`the certificate was not renewed: ${replaced.error.message}`);
    return replaced;
  };

  const renew = (): Promise<Result<CertificateFacts>> => {
    if (underWay !== undefined) return underWay;
    const isCurrent = (): boolean => underWay === own;
    const own = attempt(isCurrent).finally(() => {
      if (isCurrent()) underWay = undefined;
      tellLate();
      look();
    });
    underWay = own;
    return own;
  };

  const look = (): void => {
    stopTimer();
    if (!started) return;
    tellLate();
    const wait = Math.max(0, nextTryAt() - wall());
    if (wait === 0) void renew();
    else stopTimer = timer(ms(Math.min(wait, LOOK_EVERY_MAX)), look);
  };

  /** A try that is under way may wait for the answer of somebody who is gone: it is given up. */
  const soon = (): void => {
    underWay = undefined;
    pauseFor(HASTE_SPREAD * options.chance());
    look();
  };

  return {
    start: () => {
      const life = certificate.facts.notAfter - certificate.facts.notBefore;
      pauseFor(Math.min(FIRST_TRY_MS, life / 20) * (1 + options.chance()));
      started = true;
      look();
    },
    stop: () => {
      started = false;
      stopTimer();
    },
    renew,
    renewForPeer: async (signs) => {
      const isRecent = (at: Instant | undefined, pause: Duration): boolean =>
        at !== undefined && between(at, now()) < pause;
      if (isRecent(wishedAt, WISH_PAUSE))
        return failure("limit-reached", "it was asked for a new certificate just now", undefined, true);
      const { notBefore, notAfter } = certificate.facts;
      const rest = ms((notAfter - notBefore) / WISHES_PER_LIFE);
      if (!signs && !wantsRenewal(state()) && isRecent(wishMetAt, rest)) return wishedTooOften();
      wishedAt = now();
      const renewed = await renew();
      if (renewed.ok) wishMetAt = now();
      return renewed;
    },
    keymasterChanged: () => {
      if (hastened || wantsRenewal(state())) soon();
    },
    keymasterReached: () => {
      if (underWay !== undefined || lastTry?.failure?.code !== "keymaster-unreachable") return;
      pauseFor(HASTE_SPREAD * options.chance());
      look();
    },
    hasten: () => {
      hastened = true;
      soon();
    },
    lastTry: () => lastTry,
    nextTryAt,
  };
}

const wishedTooOften = (): Result<never> =>
  failure(
    "limit-reached",
    "another node has had it renewed not long ago, and it is not due",
    "Run `balefire certs renew` on that node itself, or this on the keymaster.",
    true,
  );

const dueAt = (facts: CertificateFacts): WallTime => renewalDueAt(facts, facts.serial);

/** Words for people about a certificate that is late; undefined when all is well. */
function lateWords(
  { notBefore, notAfter }: CertificateFacts,
  state: CertificateState,
  now: WallTime,
  failure: Failure | undefined,
): string | undefined {
  const reason = failure === undefined ? "" : `: ${failure.message}`;
  switch (state) {
    case "valid":
    case "due":
      return undefined;
    case "early":
      return `its certificate begins ${civilTime(notBefore)}, and its clock says ${civilTime(now)}`;
    case "late":
      return shorten(`its certificate ends ${civilTime(notAfter)} and could not be renewed${reason}`);
    case "expired":
      return shorten(`its certificate ended ${civilTime(notAfter)} and could not be renewed${reason}`);
  }
}

/** What an incident's detail holds. */
const DETAIL_CHARS_MAX = 200;
const shorten = (text: string): string =>
  text.length <= DETAIL_CHARS_MAX ? text : `${text.slice(0, DETAIL_CHARS_MAX - 1)}…`;
