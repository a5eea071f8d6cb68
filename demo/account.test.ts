import { expect, test } from "vitest";
import { Account } from "./account.ts";

test("a death and a return that were told balance, with the time each took", () => {
  const account = new Account();
  account.performed("kill", "b", 5000);
  account.told("open", ["b"], 5640);
  account.performed("revive", "b", 12_000);
  account.told("resolved", ["b"], 12_900);
  expect(account.balance()).toMatchObject({
    deathTold: true,
    returnTold: true,
    deathMs: 640,
    ok: true,
    unexpected: 0,
  });
});

test("a death nobody was told of does not balance", () => {
  const account = new Account();
  account.performed("kill", "b", 5000);
  account.told("open", ["c"], 5640);
  expect(account.balance()).toMatchObject({ deathTold: false, deathMs: null, ok: false, unexpected: 1 });
});

test("a return nobody was told of does not balance", () => {
  const account = new Account();
  account.performed("freeze", "b", 0);
  account.told("open", ["b"], 5000);
  account.performed("thaw", "b", 6000);
  expect(account.balance()).toMatchObject({ deathTold: true, returnTold: false, ok: false });
});

test("a message from before a death does not count for it", () => {
  const account = new Account();
  account.performed("kill", "b", 1000);
  account.told("open", ["b"], 1500);
  account.performed("revive", "b", 2000);
  account.told("resolved", ["b"], 2500);
  account.performed("kill", "b", 3000);
  expect(account.balance()).toMatchObject({ deathTold: false, ok: false });
});

test("a goodbye is no death, and to start again after one is no return", () => {
  const account = new Account();
  account.performed("stop", "b", 1000);
  account.performed("revive", "b", 2000);
  expect(account.balance()).toMatchObject({ deathTold: null, returnTold: null, ok: true });
});

test("one message may tell of several deaths", () => {
  const account = new Account();
  account.performed("kill", "b", 1000);
  account.performed("kill", "c", 1100);
  account.told("open", ["b", "c"], 1800);
  expect(account.balance()).toMatchObject({ deathTold: true, deathMs: 800 });
});

test("the time since an action is that of the last one on a subject of the message", () => {
  const account = new Account();
  account.performed("kill", "b", 1000);
  account.performed("kill", "c", 1500);
  expect(account.sinceAction(["b"], 1800)).toBe(800);
  expect(account.sinceAction(["a"], 1800)).toBeNull();
});
