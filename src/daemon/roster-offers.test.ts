import { expect, it } from "vitest";
import { failure, ok, type Result } from "../kit/result.ts";
import type { RosterKeeper } from "./roster-keeper.ts";
import { createRosterOffers } from "./roster-offers.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("of a peer that sends many, one is looked into at a time, and of those that wait only the latest", async () => {
  const seen: string[] = [];
  const refused: string[] = [];
  const waiting: (() => void)[] = [];
  const keeper = {
    current: () => ({ encoded: "held" }) as ReturnType<RosterKeeper["current"]>,
    consider: (signed: string): Promise<Result<"adopted" | "same">> => {
      seen.push(signed);
      const result = signed === "bad" ? failure("roster-refused", "no") : ok("adopted" as const);
      return new Promise((resolve) => waiting.push(() => resolve(result)));
    },
  };
  const offers = createRosterOffers(keeper, (from) => refused.push(from));
  for (const signed of ["one", "two", "three", "bad", "held"]) offers.take("b", signed);
  offers.take("c", "another's");
  expect(seen).toEqual(["one", "another's"]);
  while (waiting.length > 0) {
    waiting.shift()?.();
    await turn();
  }
  expect(seen).toEqual(["one", "another's", "bad"]);
  expect(refused).toEqual(["b"]);
  offers.take("b", "later");
  expect(seen.at(-1)).toBe("later");
});
