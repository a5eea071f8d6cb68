import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StateFolder } from "../adapters/state/folder.ts";
import { unwrap } from "../kit/result.ts";
import { days, type WallTime, wallTime } from "../kit/time.ts";
import { REVOCATION_SERIALS_MAX } from "../wire/roster.ts";
import { IssuedBook } from "./issued-book.ts";
import { ISSUED_FILE, ISSUED_RECORDS_MAX } from "./state-files.ts";

const node = "5c2e6b8e-1111-4c55-9f0e-0c7d1f3f9a11";
const other = "5c2e6b8e-2222-4c55-9f0e-0c7d1f3f9a11";
const start = wallTime(Date.UTC(2026, 10, 22));
const LIFE = days(30);
const ROOT = "R".repeat(43);
const NEXT_ROOT = "S".repeat(43);
const at = (length: number): WallTime => wallTime(start + length);

let path: string;
let book: IssuedBook;
const load = async (): Promise<IssuedBook> => unwrap(await IssuedBook.load(new StateFolder(path)));
const enter = async (
  serial: string,
  when: WallTime,
  who = node,
  root: string | undefined = ROOT,
  roots: readonly string[] = [ROOT, NEXT_ROOT],
): Promise<void> =>
  unwrap(await book.enter(who, { serial, notAfter: wallTime(when + LIFE), root }, when, roots));

beforeEach(async () => {
  path = mkdtempSync(join(tmpdir(), "balefire-issued-"));
  book = await load();
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

test("all certificates of a node that have not run out are known, also after a restart", async () => {
  await enter("4a", at(0));
  await enter("4b", at(days(12)));
  await enter("5a", at(days(12)), other);
  book = await load();
  expect(book.serialsOf(node, at(days(12)))).toEqual(["4a", "4b"]);
  expect(book.serialsOf(node, at(days(31)))).toEqual(["4b"]);
  expect(book.serialsOf(other, at(days(31)))).toEqual(["5a"]);
});

test("a node that went is forgotten, the others are not", async () => {
  await enter("4a", at(0));
  await enter("5a", at(0), other);
  unwrap(await book.forget(node));
  book = await load();
  expect(book.serialsOf(node, start)).toEqual([]);
  expect(book.serialsOf(other, start)).toEqual(["5a"]);
});

test("whoever asks again and again has to wait, but never so long that a certificate runs out", async () => {
  let now = start;
  let issued = 0;
  for (let day = 0; day < 400; day += 1) {
    now = at(days(day));
    for (let trial = 0; trial < 30; trial += 1) {
      const next = book.nextAt(node, ROOT, now);
      if (next !== undefined) {
        expect(next).toBeLessThanOrEqual(now + LIFE / 8);
        continue;
      }
      await enter(`4${(issued++).toString(16).padStart(5, "0")}`, now);
      expect(book.serialsOf(node, now).length).toBeLessThanOrEqual(REVOCATION_SERIALS_MAX);
    }
  }
  // None that holds was ever pushed out: what is known now are all that were issued within a life.
  expect(issued).toBeGreaterThan(50);
  expect(book.nextAt(other, ROOT, now)).toBeUndefined();
  expect(book.nextAt(node, ROOT, at(days(-10)))).toBeUndefined();
});

test("under another root everyone gets one at once, also who has used up what it may have under this one", async () => {
  for (let trial = 0; book.nextAt(node, ROOT, start) === undefined; trial += 1)
    await enter(`4${trial.toString(16)}`, start);
  book = await load();
  expect(book.nextAt(node, ROOT, at(days(1)))).toBeDefined();
  expect(book.nextAt(node, NEXT_ROOT, at(days(1)))).toBeUndefined();
  await enter("5a", at(days(1)), node, NEXT_ROOT);
  expect(book.nextAt(node, NEXT_ROOT, at(days(1)))).toBeUndefined();
  expect(book.serialsOf(node, at(days(1)))).toContain("5a");
});

test("of what an earlier version has issued every serial number is known, and it keeps nobody waiting", async () => {
  const certificates = Array.from({ length: 12 }, (_, trial) => ({
    node,
    serial: `4${trial.toString(16)}`,
    issued: start,
    expires: start + LIFE,
  }));
  unwrap(await new StateFolder(path).writeJson(ISSUED_FILE, { certificates }));
  book = await load();
  expect(book.serialsOf(node, start)).toHaveLength(12);
  expect(book.nextAt(node, ROOT, start)).toBeUndefined();
});

const serials = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${letter}${index.toString(16)}`);

test("after several changes of roots those under roots that are gone give way, however young, and none that a list can still take back", async () => {
  const GONE = "G".repeat(43);
  const noted = (of: readonly string[], when: WallTime, root?: string) =>
    of.map((serial) => ({ node, serial, issued: when, expires: when + LIFE, ...(root && { root }) }));
  const certificates = [
    // An earlier version did not note the root: it is the present one's.
    ...noted(serials("a", 6), start),
    ...noted(serials("b", 3), at(days(1)), ROOT),
    ...noted(serials("c", 7), at(days(2)), GONE),
  ];
  unwrap(await new StateFolder(path).writeJson(ISSUED_FILE, { certificates }));
  book = await load();
  const now = at(days(3));
  for (const serial of serials("d", 4)) await enter(serial, now, node, NEXT_ROOT);
  const [present, next] = [[...serials("a", 6), ...serials("b", 3)], serials("d", 7)];
  expect(book.serialsOf(node, now)).toEqual([...present, "c4", "c5", "c6", ...next.slice(0, 4)]);
  for (const serial of next.slice(4)) await enter(serial, now, node, NEXT_ROOT);
  book = await load();
  expect(book.serialsOf(node, now)).toEqual([...present, ...next]);
});

test("where there is no other way out, what has run out gives way before what holds, and the oldest before the latest", async () => {
  for (const serial of serials("a", 2)) await enter(serial, at(0));
  for (const serial of serials("b", REVOCATION_SERIALS_MAX)) await enter(serial, at(days(20)));
  expect(book.serialsOf(node, at(days(20)))).toEqual(serials("b", REVOCATION_SERIALS_MAX));
  // Of one that runs out later, though it was issued first.
  unwrap(await book.forget(node));
  unwrap(
    await book.enter(node, { serial: "99", notAfter: wallTime(start + LIFE * 3), root: ROOT }, start, [ROOT]),
  );
  for (const serial of serials("c", REVOCATION_SERIALS_MAX - 1)) await enter(serial, at(0));
  await enter("d1", at(days(40)));
  expect(book.serialsOf(node, at(days(40)))).toEqual(["99", "d1"]);
});

test("a clock that ran ahead for a while has nothing forgotten", async () => {
  await enter("4a", at(0));
  await enter("5a", at(0), other);
  await enter("4b", at(days(400)));
  book = await load();
  expect(book.serialsOf(node, at(days(1)))).toContain("4a");
  expect(book.serialsOf(other, at(days(1)))).toEqual(["5a"]);
});

test("the file holds as many as can be read again: of nodes that went without a word the oldest give way", async () => {
  const certificates = Array.from({ length: ISSUED_RECORDS_MAX }, (_, index) => ({
    node: `5c2e6b8e-3333-4c55-9f0e-${Math.floor(index / 4)
      .toString(16)
      .padStart(12, "0")}`,
    serial: index.toString(16),
    issued: start,
    expires: start + LIFE,
    root: ROOT,
  }));
  unwrap(await new StateFolder(path).writeJson(ISSUED_FILE, { certificates }));
  book = await load();
  await enter("4a", at(days(31)));
  book = await load();
  expect(book.serialsOf(node, at(days(31)))).toEqual(["4a"]);
  expect(book.serialsOf(certificates[0]?.node ?? "", at(0))).toEqual(["1", "2", "3"]);
});
