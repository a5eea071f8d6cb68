import { expect, it } from "vitest";
import { ms } from "../kit/time.ts";
import { Tally } from "./tally.ts";

it("counts verdicts, deliveries, pings and requests, each by what tells them apart", () => {
  const tally = new Tally();
  const verdict = {
    type: "verdict",
    subject: "x",
    name: "b",
    from: "alive",
    incarnation: 1,
    why: "",
  } as const;
  for (const to of ["suspect", "alive", "suspect"] as const) tally.notice({ ...verdict, to });
  tally.notice({ type: "warning", text: "no verdict" });
  const ended = (outcome: "delivered" | "temporary", detail: string) =>
    tally.outcome({ type: "delivery", delivery: detail, channel: "phone", result: { outcome, detail } });
  ended("temporary", "one");
  ended("temporary", "two");
  ended("delivered", "three");
  tally.outcome({ type: "pinged", heartbeat: "h", result: { outcome: "permanent", detail: "" } });
  tally.outcome({ type: "wake" });
  tally.answered("/health", 200);
  tally.answered("/health", 503);
  tally.dropped(3);
  tally.dropped(4);
  expect(tally.all()).toMatchObject({
    verdicts: [
      { node: "b", verdict: "suspect", count: 2 },
      { node: "b", verdict: "alive", count: 1 },
    ],
    deliveries: [
      { name: "phone", outcome: "temporary", count: 2 },
      { name: "phone", outcome: "delivered", count: 1 },
    ],
    pings: [{ name: "h", outcome: "permanent", count: 1 }],
    inputsDropped: 7,
  });
  expect(tally.requests()).toEqual([
    { path: "/health", code: 200, count: 1 },
    { path: "/health", code: 503, count: 1 },
  ]);
});

it("does not grow without end, whatever names come and go", () => {
  const tally = new Tally();
  for (let place = 0; place < 5000; place += 1) tally.answered(`/${place}`, 200);
  tally.answered("/0", 200);
  expect(tally.requests()).toHaveLength(2000);
  expect(tally.requests()[0]?.count).toBe(2);
});

it("keeps lateness in cumulative buckets of seconds, what is beyond the last one included", () => {
  const tally = new Tally();
  for (const late of [-0.5, 1, 1.5, 60_000]) tally.woken(ms(late));
  const { lag } = tally.all();
  expect(lag.buckets.slice(0, 3)).toEqual([
    { le: 0.001, count: 2 },
    { le: 0.002, count: 3 },
    { le: 0.005, count: 3 },
  ]);
  expect(lag.buckets.at(-1)).toEqual({ le: 5, count: 3 });
  expect(lag).toMatchObject({ count: 4, sum: 60.0025 });
});
