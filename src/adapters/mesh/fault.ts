import type { ErrorCode } from "../../kit/errors.ts";
import type { Failure } from "../../kit/result.ts";

/** A failure that is reported rather than returned. */
export const fault = (code: ErrorCode, message: string, retry = false): Failure => ({ code, message, retry });
