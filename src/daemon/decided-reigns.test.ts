import { expect, test } from "vitest";
import type { RosterAncestor } from "../wire/roster.ts";
import { DECIDED_REIGNS_MAX, isDecided, type Reigning, withDecided } from "./decided-reigns.ts";

const A = "A".repeat(43);
const B = "B".repeat(43);
const roster = (signer: string, term: number, epoch: number, ancestors: RosterAncestor[] = []): Reigning => ({
  signed: { signer },
  roster: { generation: 1, term, epoch, ancestors },
});
const link = (signer: string, term: number, epoch: number): RosterAncestor => ({
  generation: 1,
  term,
  epoch,
  opener: signer.slice(0, 8),
  hash: "0".repeat(64),
});

test("decided is what one signer has signed in a reign up to there, and in the reigns that it builds on", () => {
  const decided = withDecided([], roster(A, 3, 5, [link(A, 3, 4), link(B, 2, 9), link(A, 1, 7)]));
  const isSo = (signer: string, term: number, epoch: number): boolean =>
    isDecided(decided, roster(signer, term, epoch));
  expect([isSo(A, 3, 5), isSo(A, 3, 2), isSo(A, 1, 7)]).toEqual([true, true, true]);
  expect([isSo(A, 3, 6), isSo(A, 1, 8), isSo(A, 2, 1), isSo(B, 3, 5), isSo(B, 2, 9)]).not.toContain(true);
});

test("each reign is noted once, as far as it was decided about", () => {
  const decided = [7, 5].reduce<ReturnType<typeof withDecided>>(
    (all, epoch) => withDecided(all, roster(A, 3, epoch)),
    [],
  );
  expect(decided).toEqual([{ signer: A, generation: 1, term: 3, epoch: 7 }]);
});

test("the oldest give way; one roster that names many reigns before it pushes few of them out", () => {
  let decided = withDecided([], roster(A, 1, 1));
  for (let term = 2; term <= DECIDED_REIGNS_MAX; term += 1)
    decided = withDecided(decided, roster(A, term, 1));
  expect(isDecided(decided, roster(A, 1, 1))).toBe(true);
  const many = Array.from({ length: 256 }, (_, term) => link(B, term + 1, 1));
  decided = withDecided(decided, roster(B, 1000, 1, many));
  expect(decided).toHaveLength(DECIDED_REIGNS_MAX);
  expect(isDecided(decided, roster(B, 1000, 1))).toBe(true);
  expect([isDecided(decided, roster(A, 1, 1)), isDecided(decided, roster(A, 9, 1))]).toEqual([false, true]);
});
