/** Throws when an invariant is broken: a bug, after which the process ends and systemd restarts it. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${invariant}`);
}

/** Marks the end of an exhaustive switch; the compiler proves it is never reached. */
export function unreachable(value: never): never {
  throw new Error(`invariant broken: unexpected ${JSON.stringify(value)}`);
}
