import { expect, test } from "vitest";
import { ms } from "../kit/time.ts";
import { Ceremony } from "./ceremony.ts";

const gone = { ok: false, error: { code: "recovery-invalid", retry: true } };

test("what was offered counts once, by its own ticket", () => {
  const ceremony = new Ceremony<string>();
  const ticket = ceremony.offer("the new root");
  expect(ceremony.take("another ticket")).toMatchObject(gone);
  expect(ceremony.take(ticket)).toEqual({ ok: true, value: "the new root" });
  expect(ceremony.take(ticket)).toMatchObject(gone);
});

test("the next offer takes the place of the one before", () => {
  const ceremony = new Ceremony<string>();
  const first = ceremony.offer("the first");
  const second = ceremony.offer("the second");
  expect(ceremony.take(first)).toMatchObject(gone);
  expect(ceremony.take(second)).toEqual({ ok: true, value: "the second" });
});

test("what nobody takes is forgotten", async () => {
  const ceremony = new Ceremony<string>();
  const ticket = ceremony.offer("the new root", ms(1));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(ceremony.take(ticket)).toMatchObject(gone);
});
