import { expect, test } from "vitest";
import type { Stored } from "../../core/io.ts";
import { createGroupCommit, SOON_MS } from "./group-commit.ts";

const record = (key: string): Stored => ({ key, value: "1" });

/** A disk that takes one write at a time and answers when told. */
function slowDisk() {
  const writes: string[][] = [];
  const answers: ((error?: Error) => void)[] = [];
  const write = (records: readonly Stored[]): Promise<void> => {
    writes.push(records.map(({ key }) => key));
    return new Promise((resolve, reject) => answers.push((error) => (error ? reject(error) : resolve())));
  };
  const answer = async (error?: Error): Promise<void> => {
    answers.shift()?.(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { writes, write, answer };
}

test("what comes while the disk is at work goes together, in order", async () => {
  const disk = slowDisk();
  const commits = createGroupCommit(disk.write);
  const done: string[] = [];
  for (const key of ["a", "b", "c"]) void commits.commit([record(key)], 2).then(() => done.push(key));
  expect(disk.writes).toEqual([["a"]]);
  expect(commits.waiting).toBe(3);
  await disk.answer();
  expect(done).toEqual(["a"]);
  expect(disk.writes).toEqual([["a"], ["b", "c"]]);
  await disk.answer();
  await commits.drained();
  expect(done).toEqual(["a", "b", "c"]);
  expect(commits.waitingChars).toBe(0);
});

test("a group that fails is tried one by one, and each gets its own answer", async () => {
  const disk = slowDisk();
  const commits = createGroupCommit(disk.write);
  const outcomes: Record<string, string> = {};
  for (const key of ["a", "b", "c"]) {
    commits.commit([record(key)], 2).then(
      () => (outcomes[key] = "written"),
      (error: Error) => (outcomes[key] = error.message),
    );
  }
  await disk.answer();
  await disk.answer(new Error("too much at once"));
  await disk.answer(new Error("no room"));
  await disk.answer();
  await commits.drained();
  expect(disk.writes).toEqual([["a"], ["b", "c"], ["b"], ["c"]]);
  expect(outcomes).toEqual({ a: "written", b: "no room", c: "written" });
});

test("a group stays within its size", async () => {
  const disk = slowDisk();
  const commits = createGroupCommit(disk.write);
  for (const key of ["a", "b", "c"]) void commits.commit([record(key)], 200_000);
  await disk.answer();
  expect(disk.writes).toEqual([["a"], ["b"]]);
});

test("what is wanted soon gives others a moment to come, and is written before what is wanted now", async () => {
  const disk = slowDisk();
  const commits = createGroupCommit(disk.write);
  for (const key of ["a", "b"]) void commits.commit([record(key)], 2, "soon");
  expect(disk.writes).toEqual([]);
  void commits.commit([record("c")], 2);
  await disk.answer();
  expect(disk.writes).toEqual([["a", "b", "c"]]);
  void commits.commit([record("d")], 2, "soon");
  await new Promise((resolve) => setTimeout(resolve, 2 * SOON_MS));
  expect(disk.writes).toEqual([["a", "b", "c"], ["d"]]);
});

test("nothing at all waits for what is under way, and is no write of its own", async () => {
  const disk = slowDisk();
  const commits = createGroupCommit(disk.write);
  await commits.commit([], 0);
  expect(disk.writes).toEqual([]);
  let done = false;
  void commits.commit([record("a")], 2, "soon");
  void commits.commit([], 0).then(() => {
    done = true;
  });
  expect(disk.writes).toEqual([["a"]]);
  expect(done).toBe(false);
  await disk.answer();
  expect(done).toBe(true);
});
