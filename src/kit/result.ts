import type { ErrorCode } from "./errors.ts";

/** An expected failure, as a value. What is not expected is a bug and throws. */
export interface Failure {
  readonly code: ErrorCode;
  /** What happened and where, in a sentence for a person; never holds a secret. */
  readonly message: string;
  /** What the person can do about it. */
  readonly remedy?: string;
  /** Whether trying the same thing again later may help. */
  readonly retry: boolean;
}

export type Result<T, E = Failure> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });
export const fail = <E>(error: E): { readonly ok: false; readonly error: E } => ({ ok: false, error });

export const failure = (code: ErrorCode, message: string, remedy?: string, retry = false): Result<never> =>
  fail({ code, message, retry, ...(remedy === undefined ? {} : { remedy }) });

/** Carries a Failure through code that can only throw; caught where the command or request began. */
export class FailureError extends Error {
  readonly failure: Failure;
  constructor(reason: Failure) {
    super(reason.message);
    this.name = "FailureError";
    this.failure = reason;
  }
}

export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new FailureError(result.error);
}
