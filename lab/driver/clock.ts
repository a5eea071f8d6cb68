/**
 * Milliseconds on the machine's monotonic clock (CLOCK_MONOTONIC): the same in every process
 * of this machine, so that a cut here and an arrival there can be subtracted, whatever the wall clock does.
 */
export const machineMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;

export const sleep = (lengthMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, lengthMs)));

/** Asks again and again until the answer is not undefined; throws with `what` when the time is over. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
  everyMs = 25,
): Promise<T> {
  const deadline = machineMs() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (machineMs() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(everyMs);
  }
}

/** The promise's value, or an error naming `what` when it takes longer than `timeoutMs`. */
export function within<T>(what: string, timeoutMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms in vain: ${what}`)), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
