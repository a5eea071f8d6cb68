import { expect, test } from "vitest";
import { drawScreen, type NodeRow, type ScreenModel } from "./screen.ts";

const row = (name: string, sees: Readonly<Record<string, string>>, selected = false): NodeRow => ({
  name,
  address: `127.0.0.${name.charCodeAt(0) - 96}:7654`,
  condition: "running",
  selected,
  sees: new Map(
    Object.entries(sees).map(([subject, verdict]) => [subject, { verdict, rttMs: 0.31, beatsPerSecond: 5 }]),
  ),
});

const model: ScreenModel = {
  elapsedMs: 65_400,
  notes: ["a note"],
  nodes: [
    row("a", { a: "alive", b: "daemon-down", c: "alive" }),
    { ...row("b", {}, true), condition: "off" },
    row("c", { a: "alive", b: "suspect", c: "alive" }),
  ],
  keys: "q quit",
  log: [
    { atMs: 61_000, who: "you", text: "kill -9 b", tone: "plain" },
    { atMs: 61_640, who: "webhook", text: "OPEN b is up but not watching", tone: "bad" },
  ],
};

test("who sees whom, beats, round trip and the log are on the screen", () => {
  expect(
    `\n${drawScreen(model, { columns: 90, rows: 20, colour: false }).join("\n")}\n`,
  ).toMatchInlineSnapshot(`
    "
    Balefire: three real daemons watch each other        1:05
    a note

      who sees →  a                   b                   c                   
      a           running             daemon-down         alive               
      127.0.0.1                       5.0/s 0.31 ms       5.0/s 0.31 ms       
    ▶ b           ·                   off                 ·                   
      127.0.0.2                                                               
      c           alive               suspect             running             
      127.0.0.3   5.0/s 0.31 ms       5.0/s 0.31 ms                           

    q quit

      1:01.000  you      kill -9 b
      1:01.640  webhook  OPEN b is up but not watching
    "
  `);
});

test("without colour there is no escape sequence, with colour there is", () => {
  const drawn = (colour: boolean): string => drawScreen(model, { columns: 90, rows: 20, colour }).join("\n");
  expect(drawn(false)).not.toContain("\u001b");
  expect(drawn(true)).toContain("\u001b[31;1mdaemon-down");
});

test("no line is wider than the terminal and there are no more lines than rows, at any size", () => {
  for (const columns of [1, 10, 20, 40, 80, 200]) {
    for (const rows of [1, 5, 12, 24, 60]) {
      const lines = drawScreen(model, { columns, rows, colour: false });
      expect(lines.length).toBeLessThanOrEqual(rows);
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns);
    }
  }
});

test("the newest lines of a long log are those that stay", () => {
  const log = Array.from({ length: 50 }, (_, index) => ({
    atMs: index,
    who: "a",
    text: `line ${index}`,
    tone: "plain" as const,
  }));
  const drawn = drawScreen({ ...model, log }, { columns: 90, rows: 20, colour: false }).join("\n");
  expect(drawn).toContain("line 49");
  expect(drawn).not.toContain("line 30");
});
