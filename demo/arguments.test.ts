import { expect, test } from "vitest";
import { type DemoPlan, parseDemo } from "./arguments.ts";

const planOf = (words: string, terminal = true): DemoPlan => {
  const plan = parseDemo(words.split(" ").filter(Boolean), terminal);
  if (!plan.ok) throw new Error(plan.error.message);
  return plan.value;
};
const refusalOf = (words: string): string => {
  const plan = parseDemo(words.split(" "), true);
  return plan.ok ? "accepted" : plan.error.message;
};

test("a person at a terminal gets the live view", () => {
  expect(planOf("")).toMatchObject({ mode: "live", json: false, netns: false });
  expect(planOf("--netns")).toMatchObject({ mode: "live", netns: true });
});

test("without a terminal a death and a return are played, as JSON", () => {
  const plan = planOf("", false);
  expect(plan).toMatchObject({ mode: "script", json: true });
  expect(plan.steps.map((step) => step.action)).toEqual(["kill", "revive"]);
});

test("actions are played in the order of their times, however they were written", () => {
  const plan = planOf("--for 20s --revive b@12s --kill b@5s --kill c@500ms --json");
  expect(plan.steps).toEqual([
    { action: "kill", node: "c", atMs: 500 },
    { action: "kill", node: "b", atMs: 5000 },
    { action: "revive", node: "b", atMs: 12000 },
  ]);
  expect(plan.forMs).toBe(20_000);
});

test("a script without --for leaves time to tell after its last action", () => {
  expect(planOf("--kill a@2s").forMs).toBe(10_000);
});

test("--for alone only watches", () => {
  expect(planOf("--for 3s")).toMatchObject({ mode: "script", steps: [], forMs: 3000 });
});

test("what makes no sense is refused by name", () => {
  expect(refusalOf("--kill d@5s")).toContain("no node d");
  expect(refusalOf("--kill b@soon")).toContain("NODE@TIME");
  expect(refusalOf("--kill b")).toContain("NODE@TIME");
  expect(refusalOf("--kill b@5s@6s")).toContain("NODE@TIME");
  expect(refusalOf("--for never")).toContain("--for never");
  expect(refusalOf("--for 61m")).toContain("one hour");
  expect(refusalOf("--cut b@5s")).toContain("--netns");
  expect(refusalOf("--for 3s --kill b@5s")).toContain("after the end");
  expect(refusalOf("--explode b@5s")).toContain("--explode");
});

test("links can be cut in namespaces", () => {
  expect(planOf("--netns --cut b@1s --restore b@3s").steps).toHaveLength(2);
});
