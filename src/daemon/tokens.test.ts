import { beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../../test/e2e/join-rig.ts";
import { StateFolder } from "../adapters/state/folder.ts";
import { unwrap } from "../kit/result.ts";
import { days, hours, minutes, wallTime } from "../kit/time.ts";
import { TOKENS_FILE, TOKENS_MAX, type TokenRecord } from "./state-files.ts";
import { judgeToken, TokenBook, tokenState } from "./tokens.ts";

const now = wallTime(1_790_000_000_000);
const record: TokenRecord = {
  id: "00ff10a5b6c7d8e9",
  name: "pve2",
  publicKey: "k".repeat(43),
  created: now,
  expires: now + hours(1),
  revoked: false,
  used: null,
};
const node = "0b8f4c6e-53a1-4c55-9f0e-0c7d1f3f9a11";
const pin = "p".repeat(43);

let folder: StateFolder;
beforeEach(async () => {
  folder = new StateFolder(await temporaryFolder());
});

const stored = async (records: readonly TokenRecord[]): Promise<TokenBook> => {
  unwrap(await folder.writeJson(TOKENS_FILE, { tokens: records }));
  return unwrap(await TokenBook.load(folder));
};
const many = (change: (index: number) => Partial<TokenRecord>): TokenRecord[] =>
  Array.from({ length: TOKENS_MAX }, (_, index) => ({
    ...record,
    id: index.toString(16).padStart(16, "0"),
    ...change(index),
  }));

test("every change is on disk when it is acknowledged", async () => {
  const book = unwrap(await TokenBook.load(folder));
  const reloaded = async (): Promise<readonly TokenRecord[]> => unwrap(await TokenBook.load(folder)).list();
  const { id } = unwrap(await book.create("pve2", minutes(5), now)).record;
  expect(await reloaded()).toEqual(book.list());
  unwrap(await book.consume(id, { pin, node, at: now }));
  expect(await reloaded()).toMatchObject([{ id, used: { pin, node } }]);
  unwrap(await book.revoke(id));
  expect(await reloaded()).toMatchObject([{ id, revoked: true }]);
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, days(31)])(
  "a life of %d ms is refused",
  async (life) => {
    const book = unwrap(await TokenBook.load(folder));
    expect(await book.create("pve2", life, now)).toMatchObject({ ok: false, error: { code: "usage" } });
    expect(book.list()).toEqual([]);
  },
);

test("when full, the oldest that can no longer be used makes room", async () => {
  const book = await stored(many((index) => (index === 3 || index === 5 ? { revoked: true } : {})));
  unwrap(await book.create("pve9", hours(1), now));
  expect(book.list()).toHaveLength(TOKENS_MAX);
  expect(book.find("3".padStart(16, "0"))).toBeUndefined();
  expect(book.find("5".padStart(16, "0"))).toBeDefined();
  expect(book.list().at(-1)?.name).toBe("pve9");
});

test("when full of open ones, no further token is made and none is lost", async () => {
  const book = await stored(many(() => ({})));
  expect(await book.create("pve9", hours(1), now)).toMatchObject({
    ok: false,
    error: { code: "limit-reached" },
  });
  expect(book.list()).toHaveLength(TOKENS_MAX);
});

test.each<[string, Partial<TokenRecord>, number, string]>([
  ["fresh", {}, 0, "open"],
  ["at its last moment", {}, hours(1) - 1, "open"],
  ["past it", {}, hours(1), "expired"],
  ["used, then expired", { used: { pin, node, at: now } }, hours(2), "used"],
  ["used, then revoked", { used: { pin, node, at: now }, revoked: true }, 0, "revoked"],
])("a token %s is listed as it is", (_what, change, age, state) => {
  expect(tokenState({ ...record, ...change }, wallTime(now + age))).toBe(state);
});

test.each<[string, Partial<TokenRecord>, number, string, string]>([
  ["the key that used it, soon after", { used: { pin, node, at: now } }, hours(2), pin, "ok"],
  ["the key that used it, two days later", { used: { pin, node, at: now } }, days(2), pin, "token-used"],
  ["another key", { used: { pin, node, at: now } }, 0, "q".repeat(43), "token-used"],
  [
    "the key that used it, since revoked",
    { used: { pin, node, at: now }, revoked: true },
    0,
    pin,
    "token-invalid",
  ],
  ["anybody, once expired", {}, hours(1), pin, "token-expired"],
])("a token in the hands of %s", (_what, change, age, by, expected) => {
  const judged = judgeToken({ ...record, ...change }, { name: "pve2", pin: by }, wallTime(now + age));
  expect(judged.ok ? "ok" : judged.error.code).toBe(expected);
});
