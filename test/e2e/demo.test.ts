/** `npm start` as a program uses it: real daemons, one dies, a person is told. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, test } from "vitest";
import type { DemoEvent } from "../../demo/stage.ts";
import { CHECKOUT, GROUND_VARIABLE } from "../../lab/driver/checkout.ts";
import { cleanEnvironment, ended } from "../../lab/driver/child.ts";
import { until } from "../../lab/driver/clock.ts";
import { whyNoNamespaces } from "../../lab/driver/namespaces.ts";

type Of<E extends DemoEvent["event"]> = Extract<DemoEvent, { event: E }> & { readonly schema: number };

interface Run {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly events: (DemoEvent & { readonly schema: number })[];
}

const running: ChildProcess[] = [];
afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill("SIGTERM");
    await ended(child);
  }
});

/** The program and the mesh as the tests of this run share them (ground.ts): quicker than from the source. */
const ground = (): Readonly<Record<string, string>> => ({
  [GROUND_VARIABLE]: process.env[GROUND_VARIABLE] ?? "",
});

function start(env: Readonly<Record<string, string>>, ...words: string[]): Run {
  const child = spawn(process.execPath, [join(CHECKOUT, "scripts/start.mjs"), ...words], {
    stdio: ["ignore", "pipe", "inherit"],
    env: cleanEnvironment(env),
  });
  running.push(child);
  const run: Run = { child, lines: [], events: [] };
  createInterface({ input: child.stdout }).on("line", (line) => {
    run.lines.push(line);
    run.events.push(JSON.parse(line));
  });
  return run;
}

type Played = Run & { readonly code: number | null };

const play = (...words: string[]): Promise<Played> => playTo(start(ground(), ...words));

async function playTo(run: Run): Promise<Played> {
  await ended(run.child);
  return { ...run, code: run.child.exitCode };
}

const all = <E extends DemoEvent["event"]>(run: Run, event: E): readonly Of<E>[] =>
  run.events.filter((entry) => entry.event === event) as unknown as readonly Of<E>[];

test("a death and a return are told, as one JSON event a line", async () => {
  // With nothing but what npm start finds in a checkout.
  const run = await playTo(start({}, "--for", "11s", "--kill", "b@500ms", "--revive", "b@3s", "--json"));
  expect(run.events.every((event) => event.schema === 1)).toBe(true);
  expect(run.events[0]).toMatchObject({ event: "ready", atMs: 0 });
  expect(all(run, "ready")[0]?.nodes.map((node) => node.name)).toEqual(["a", "b", "c"]);
  expect(all(run, "action").map(({ action, node }) => `${action} ${node}`)).toEqual(["kill b", "revive b"]);

  const verdicts = all(run, "verdict").filter(({ subject, to }) => subject === "b" && to === "daemon-down");
  expect(new Set(verdicts.map(({ observer }) => observer))).toEqual(new Set(["a", "c"]));

  const messages = all(run, "message");
  expect(messages.map(({ message }) => message.state)).toEqual(["open", "resolved"]);
  for (const { message } of messages) {
    expect(message).toMatchObject({ schema: 1, kind: "daemon-down", subjects: [{ name: "b" }] });
  }
  expect(messages[0]?.sinceActionMs).toBeLessThan(4_000);
  const done = all(run, "done");
  expect(done).toHaveLength(1);
  expect(run.events.at(-1)).toBe(done[0]);
  expect(done[0]).toMatchObject({ deathTold: true, returnTold: true, ok: true, unexpected: 0 });
  expect(done[0]?.deathMs).toBe(messages[0]?.sinceActionMs);
  expect(run.code).toBe(0);
});

test("a death that was not told in time makes the exit code 1", async () => {
  // A hung daemon is told of after 5 s at the earliest.
  const run = await play("--for", "2s", "--freeze", "b@500ms", "--json");
  expect(all(run, "done")[0]).toMatchObject({ deathTold: false, ok: false });
  expect(run.code).toBe(1);
});

test("a goodbye is told to nobody", async () => {
  const run = await play("--for", "6s", "--stop", "c@500ms", "--revive", "c@3s", "--json");
  expect(all(run, "message")).toEqual([]);
  const seen = all(run, "verdict").filter(({ subject }) => subject === "c");
  expect(seen.some(({ to }) => to === "planned")).toBe(true);
  expect(run.code).toBe(0);
});

test("interrupted, it leaves no daemon behind", async () => {
  const run = start(ground(), "--for", "60s", "--json");
  const ready = await until("the mesh to be ready", 60_000, () => all(run, "ready")[0]);
  const pids = ready.nodes.map((node) => node.pid);
  expect(pids.every((pid) => existsSync(`/proc/${pid}`))).toBe(true);
  run.child.kill("SIGTERM");
  await ended(run.child);
  await until("every daemon to end", 5_000, () =>
    pids.some((pid) => existsSync(`/proc/${pid}`)) ? undefined : true,
  );
});

const reason = whyNoNamespaces();
describe.skipIf(reason !== undefined)(`in namespaces${reason === undefined ? "" : ` (${reason})`}`, () => {
  test("a pulled cable is a host down, told and resolved", async () => {
    const run = await play("--netns", "--for", "11s", "--cut", "b@500ms", "--restore", "b@3s", "--json");
    const messages = all(run, "message").map(
      ({ message }) => `${message.state} ${message.kind} ${message.verdict}`,
    );
    expect(messages[0]).toBe("open down host-down");
    expect(messages[1]).toContain("resolved down");
    expect(messages).toHaveLength(2);
    expect(run.code).toBe(0);
  });
});
