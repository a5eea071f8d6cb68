/** Rosters that wait to be handed in: how many are kept, and what gives way. */
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
