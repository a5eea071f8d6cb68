import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GROUND_VARIABLE } from "./checkout.ts";
import { type Kept, keptRecoveryCode, putOnShelf, takeFromShelf } from "./shelf.ts";

const MADE = ["bin/balefire"];
const CODE = "the code of a mesh that nobody uses";
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "balefire-shelf-test-"));
  process.env[GROUND_VARIABLE] = folder;
  mkdirSync(join(folder, "shelf"));
});
afterEach(() => {
  delete process.env[GROUND_VARIABLE];
  rmSync(folder, { recursive: true });
});

const node = (mesh: string, name: string, address = `10.0.0.${name.charCodeAt(0)}:7654`): Kept => ({
  name,
  addresses: [address],
  stateFolder: join(folder, `${mesh}-${name}`),
});

/** A node as it is after a while. */
function lived(mesh: string, name: string): Kept {
  const made = node(mesh, name);
  mkdirSync(made.stateFolder, { mode: 0o700 });
  for (const file of [
    "node.key",
    "roster.json",
    "store.sqlite",
    "store.sqlite-wal",
    "history.sqlite",
    "lock",
  ])
    writeFileSync(join(made.stateFolder, file), `${file} of ${mesh} ${name}`, { mode: 0o600 });
  return made;
}

const keyOf = ({ stateFolder }: Kept): string => readFileSync(join(stateFolder, "node.key"), "utf8");

test("a copy is who the nodes were, and knows nothing of what they lived through", () => {
  putOnShelf(MADE, [lived("first", "a"), lived("first", "b")], CODE);
  const copies = [node("second", "a"), node("second", "b")];
  expect(takeFromShelf(MADE, copies)).toBe(2);
  expect(keptRecoveryCode(MADE, copies)).toBe(CODE);
  expect(copies.map(keyOf)).toEqual(["node.key of first a", "node.key of first b"]);
  for (const { stateFolder } of copies) {
    expect(readdirSync(stateFolder).sort()).toEqual(["node.key", "roster.json"]);
    expect(statSync(stateFolder).mode & 0o777).toBe(0o700);
    expect(statSync(join(stateFolder, "node.key")).mode & 0o777).toBe(0o600);
  }
});

test("of several meshes that begin alike the largest is taken, and the nodes it has not are left to join", () => {
  putOnShelf(MADE, [lived("one", "a")], CODE);
  putOnShelf(MADE, [lived("two", "a"), lived("two", "b")], CODE);
  putOnShelf(MADE, [lived("other", "a"), lived("other", "c")], CODE);
  const wanted = [node("third", "a"), node("third", "b"), node("third", "d")];
  expect(takeFromShelf(MADE, wanted)).toBe(2);
  expect(wanted.slice(0, 2).map(keyOf)).toEqual(["node.key of two a", "node.key of two b"]);
  expect(existsSync(wanted[2]?.stateFolder ?? "")).toBe(false);
});

test("other addresses, another order or another executable take nothing", () => {
  putOnShelf(MADE, [lived("first", "a"), lived("first", "b")], CODE);
  expect(takeFromShelf(MADE, [node("second", "a", "10.0.0.99:7654"), node("second", "b")])).toBe(0);
  expect(takeFromShelf(MADE, [node("second", "b"), node("second", "a")])).toBe(0);
  expect(
    takeFromShelf(["env", "BALEFIRE_BUNDLE=1", ...MADE], [node("second", "a"), node("second", "b")]),
  ).toBe(0);
  expect(readdirSync(folder).filter((name) => name.startsWith("second"))).toEqual([]);
});

test("of two that keep the same at the same time the first is kept, whole", () => {
  putOnShelf(MADE, [lived("first", "a")], CODE);
  putOnShelf(MADE, [lived("late", "a")], CODE);
  const copy = node("copy", "a");
  expect(takeFromShelf(MADE, [copy])).toBe(1);
  expect(keyOf(copy)).toBe("node.key of first a");
  expect(readdirSync(join(folder, "shelf"))).toHaveLength(1);
});
