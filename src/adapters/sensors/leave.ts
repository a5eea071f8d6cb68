/** How a process ends while one of its threads waits for a driver. */
import koffi from "koffi";

/**
 * Ends the process at once, without waiting for other threads: libuv would join its pool, and a thread
 * inside a hanging driver never comes back. What was written to files and pipes is written.
 */
export function leaveNow(code: number): never {
  const exit = koffi.load(null).func("void _exit(int)");
  exit(code);
  throw new Error("invariant broken: _exit returned");
}
