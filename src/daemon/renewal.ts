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
import { type Failure, ok, type Result } from "../kit/result.ts";
import { civilTime, type Duration, hours, type WallTime } from "../kit/time.ts";
import type { OwnCertificate } from "./own-certificate.ts";

/** A clock may be set, and a timer stands still while the host sleeps: it looks this often at least. */
const LOOK_EVERY_MAX: Duration = hours(1);
/** Its own daemon has just started, and others with it: the first try waits this long, and as long again at random. */
const FIRST_TRY_MS = 2000;

/** Tries in vain before people are told that it is late. */
const FAILURES_TOLD = 3;
/** As if it had failed so often: what was renewed and does not hold by this clock is asked for in an hour. */
const RELAXED = 99;

export interface RenewalOptions {
  readonly certificate: OwnCertificate;
  /** Has a request signed; the answer is PEM, leaf and intermediate. */
  readonly sign: (csr: string) => Promise<Result<string>>;
  /** A new certificate is on disk and is to be shown from now on; `before`: how the old one stood. */
  readonly onRenewed: (before: CertificateState) => void;
  /** What keeps it from being renewed though it is late; undefined when nothing does. Told when it changes, and once at the start. */
  readonly onLate: (late: string | undefined) => void;
  readonly log: (line: string) => void;
  readonly wall: () => WallTime;
  /** 0 to 1; spreads the tries of nodes that began together. */
  readonly chance: () => number;
}

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
  /** The last try of this daemon; undefined if none. */
  lastTry(): Try | undefined;
  /** When it is tried next, as far as that is known now. */
  nextTryAt(): WallTime;
}

export function createRenewal(options: RenewalOptions): Renewal {
  const { certificate, wall } = options;
  let failures = 0;
  let lastTry: Try | undefined;
  let notBefore = 0 as WallTime;
  /** Undefined: nothing has been told since this daemon started; an incident may stand from before. */
  let toldLate: boolean | undefined;
  let started = false;
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<Result<CertificateFacts>> | undefined;

  const state = (): CertificateState => certificateState(certificate.facts, certificate.facts.serial, wall());

  const nextTryAt = (): WallTime => {
    if (wantsRenewal(state())) return notBefore;
    return Math.max(notBefore, renewalDueAt(certificate.facts, certificate.facts.serial)) as WallTime;
  };

  const tellLate = (): void => {
    const current = state();
    // A host that was off for weeks renews within seconds: nobody needs to hear of that.
    if ((current === "late" || current === "expired") && failures < FAILURES_TOLD) return;
    const late = lateWords(certificate.facts, current, wall(), lastTry?.failure);
    if ((late !== undefined) === toldLate) return;
    toldLate = late !== undefined;
    options.onLate(late);
  };

  const attempt = async (): Promise<Result<CertificateFacts>> => {
    const before = state();
    const signed = await options.sign(certificate.request());
    const replaced = signed.ok ? await certificate.replace(signed.value, wall()) : signed;
    const at = wall();
    if (!replaced.ok) {
      failures += 1;
      lastTry = { at, failure: replaced.error };
      notBefore = (at + retryAfter(certificate.facts, failures, options.chance())) as WallTime;
      if (failures === 1) options.log(`the certificate was not renewed: ${replaced.error.message}`);
      return replaced;
    }
    failures = 0;
    lastTry = { at };
    notBefore = (at + retryAfter(certificate.facts, RELAXED, options.chance())) as WallTime;
    options.log(`the certificate is renewed, until ${civilTime(certificate.facts.notAfter)}`);
    options.onRenewed(before);
    return ok(certificate.facts);
  };

  const renew = (): Promise<Result<CertificateFacts>> => {
    underWay ??= attempt().finally(() => {
      underWay = undefined;
      tellLate();
      if (started) look();
    });
    return underWay;
  };

  const look = (): void => {
    clearTimeout(timer);
    if (!started) return;
    tellLate();
    const wait = Math.max(0, nextTryAt() - wall());
    if (wait === 0) void renew();
    else timer = setTimeout(look, Math.min(wait, LOOK_EVERY_MAX)).unref();
  };

  return {
    start: () => {
      const life = certificate.facts.notAfter - certificate.facts.notBefore;
      notBefore = (wall() + Math.min(FIRST_TRY_MS, life / 20) * (1 + options.chance())) as WallTime;
      tellLate();
      started = true;
      look();
    },
    stop: () => {
      started = false;
      clearTimeout(timer);
    },
    renew,
    lastTry: () => lastTry,
    nextTryAt,
  };
}

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
