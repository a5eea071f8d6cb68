/** When a node's certificate is renewed, how it stands, and whether one that is offered is better. */
import { type Duration, hours, minutes, ms, seconds, type WallTime } from "../../kit/time.ts";

/** The dates between which a certificate holds. */
export interface Validity {
  readonly notBefore: WallTime;
  readonly notAfter: WallTime;
}

/**
 * - `early`: not valid yet by this clock.
 * - `valid`: its renewal is not due.
 * - `due`: its renewal is due, and there is time.
 * - `late`: less than a third of its life is left; something keeps it from being renewed.
 * - `expired`: over. Peers still let it watch and tell, and nothing else.
 */
export type CertificateState = "early" | "valid" | "due" | "late" | "expired";

/** Part of its life that is left when people are told. */
const LATE = 1 / 3;
const RETRY_MIN: Duration = minutes(1);
const RETRY_MAX: Duration = hours(1);
/** The shortest pause between two tries, however short the life. */
const RETRY_LEAST: Duration = seconds(1);

const lifeOf = ({ notBefore, notAfter }: Validity): number => Math.max(0, notAfter - notBefore);

/**
 * A number from 0 to 1 that is a certificate's own: the same after a restart, another one for its
 * successor, so that nodes that joined together do not ask together for ever.
 * `serial`: 16 random bytes in hex, of which the first two bits are fixed.
 */
export function chanceOf(serial: string): number {
  const part = Number.parseInt(serial.slice(-8), 16);
  return Number.isNaN(part) ? 0.5 : part / 0xffff_ffff;
}

/** Between a third and a half of its life: the mesh survives two weeks without its keymaster. */
export const renewalDueAt = (validity: Validity, serial: string): WallTime =>
  (validity.notBefore + lifeOf(validity) * (1 / 3 + chanceOf(serial) / 6)) as WallTime;

export function certificateState(validity: Validity, serial: string, now: WallTime): CertificateState {
  const { notBefore, notAfter } = validity;
  if (now < notBefore) return "early";
  if (now > notAfter) return "expired";
  if (notAfter - now < lifeOf(validity) * LATE) return "late";
  return now < renewalDueAt(validity, serial) ? "valid" : "due";
}

export const isInForce = ({ notBefore, notAfter }: Validity, now: WallTime): boolean =>
  notBefore <= now && now <= notAfter;

/** Whether a node's renewal is to be asked for: what is dated in the future may be a clock's error, and is asked for as well. */
export const wantsRenewal = (state: CertificateState): boolean => state !== "valid";

/**
 * The pause after `failures` tries in vain, for a life of 30 days from a minute, doubled up to an hour;
 * shorter where lives are. `chance` from 0 to 1 spreads those who failed together.
 */
export function retryAfter(validity: Validity, failures: number, chance: number): Duration {
  const life = lifeOf(validity);
  const least = Math.max(RETRY_LEAST, Math.min(RETRY_MIN, life / 60));
  const most = Math.max(RETRY_LEAST, Math.min(RETRY_MAX, life / 12));
  const pause = Math.min(most, least * 2 ** Math.min(Math.max(0, failures - 1), 30));
  return ms(pause * (0.75 + chance / 2));
}

/**
 * A keymaster whose clock is wrong must not talk a node out of a certificate that holds. Where the one
 * held does not hold by this clock there is nothing to lose.
 */
export const isImprovement = (held: Validity, offered: Validity, now: WallTime): boolean =>
  isInForce(offered, now) || !isInForce(held, now);
