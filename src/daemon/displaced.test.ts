/** Rosters that wait to be handed in: how many are kept, and what gives way. */
import { mkdir, readdir, rename, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/e2e/join-rig.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import { unwrap } from "../kit/result.ts";
import { rosterHash, type SignedRoster } from "../wire/roster.ts";
import { DisplacedBook } from "./displaced.ts";
import { LOST_ROSTERS_MAX } from "./lost-rosters.ts";

const lost = (body: string): SignedRoster => ({ body, signature: "s", signer: "p" });

test("as many are kept as a keymaster lists; the oldest gives way, and is told of", async () => {
  const folder = new StateFolder(await temporaryFolder());
  const book = unwrap(await DisplacedBook.load(folder));
  const given: string[] = [];
  book.onGivenUp(({ body }) => given.push(body));
  const bodies = Array.from({ length: LOST_ROSTERS_MAX + 1 }, (_, at) => `roster ${at}`);
  for (const body of [...bodies, "roster 3"]) unwrap(await book.keep({ signed: lost(body) }));
  expect(given).toEqual(["roster 0"]);
  const again = unwrap(await DisplacedBook.load(folder));
  expect(again.list().map(({ body }) => body)).toEqual(bodies.slice(1));
  unwrap(await again.forget(rosterHash("roster 5")));
  expect(again.list()).toHaveLength(LOST_ROSTERS_MAX - 1);
});

test("a file of them stays readable: what is too long together gives way, what is alone does not", async () => {
  const folder = new StateFolder(await temporaryFolder());
  const book = unwrap(await DisplacedBook.load(folder));
  for (const letter of ["a", "b", "c"]) unwrap(await book.keep({ signed: lost(letter.repeat(1_000_000)) }));
  const again = unwrap(await DisplacedBook.load(folder));
  expect(again.list().map(({ body }) => body.slice(0, 1))).toEqual(["b", "c"]);
});

test("a file that cannot be read now is neither put aside nor written over, and is read when it can be", async () => {
  const path = await temporaryFolder();
  const folder = new StateFolder(path);
  unwrap(await unwrap(await DisplacedBook.load(folder)).keep({ signed: lost("a") }));
  const file = join(path, "displaced.json");
  await rename(file, `${file}.away`);
  await mkdir(file);
  const book = unwrap(await DisplacedBook.load(folder));
  const cannot = {
    code: "internal",
    message: expect.stringMatching(/cannot read .*displaced\.json/),
    retry: true,
  };
  expect(book.damage()).toMatchObject([cannot]);
  for (const failed of [await book.putAsideDamaged(), await book.keep({ signed: lost("b") })])
    expect(failed).toMatchObject({ ok: false, error: cannot });
  expect((await readdir(path)).sort()).toEqual(["displaced.json", "displaced.json.away"]);
  await rmdir(file);
  await rename(`${file}.away`, file);
  unwrap(await book.keep({ signed: lost("b") }));
  expect(book.list().map(({ body }) => body)).toEqual(["a", "b"]);
  expect(book.damage()).toEqual([]);
  expect(unwrap(await DisplacedBook.load(folder)).list()).toHaveLength(2);
});
