/** Checks the house itself: what reviewers would otherwise have to notice each time. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ERROR_CODES } from "../src/kit/errors.ts";

const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));
const LINES_MAX = 400;
const BYTES_MAX = 1_000_000;
const GENERATED = new Set([
  "node_modules",
  "build",
  "dist",
  "coverage",
  ".git",
  ".demo",
  "package-lock.json",
  "LICENSE",
]);

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (GENERATED.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesUnder(path);
    return entry.isFile() ? [relative(CHECKOUT, path)] : [];
  });
}

const read = (path: string): string => readFileSync(join(CHECKOUT, path), "utf8");
const all = filesUnder(CHECKOUT);
const ours = "test/tidy.test.ts";
/** Recorded bytes and captured trees are as the world made them. */
const written = all.filter(
  (path) => !path.startsWith("test/fixtures/") && statSync(join(CHECKOUT, path)).size < BYTES_MAX,
);
const sources = written.filter((path) => /\.(ts|tsx|mjs)$/.test(path));
const product = sources.filter((path) => path.startsWith("src/") && !path.endsWith(".test.ts"));

/** `path:line: text` of every line that matches. */
const linesWith = (pattern: RegExp, paths: readonly string[]): readonly string[] =>
  paths.flatMap((path) =>
    read(path)
      .split("\n")
      .flatMap((line, index) =>
        pattern.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 100)}`] : [],
      ),
  );

test("files can be read in one sitting", () => {
  const long = [...product, ...written.filter((path) => /^(bin|lab|demo|bench|scripts)\//.test(path))]
    .map((path) => ({ path, lines: read(path).split("\n").length }))
    .filter(({ lines }) => lines > LINES_MAX);
  expect(long).toEqual([]);
});

test("nothing is left for later in the text", () => {
  const markers = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "HA" + "CK", "X".repeat(3)].join("|")})\\b`);
  expect(
    linesWith(
      markers,
      written.filter((path) => path !== ours),
    ),
  ).toEqual([]);
});

test("no test is switched off or run alone", () => {
  const switched = /^\s*(describe|test|it)\.(only|todo|skip)\(/;
  expect(linesWith(switched, sources)).toEqual([]);
});

test("no path of anybody's own machine", () => {
  const own = /(^|[^\w./-])\/(home|Users|work)\/[\w.-]+/;
  expect(
    linesWith(
      own,
      written.filter((path) => path !== ours),
    ),
  ).toEqual([]);
});

test("docs/errors.md explains every error code, and no others", () => {
  const explained = [...read("docs/errors.md").matchAll(/^(?:#+|\|)\s*`([a-z-]+)`/gm)].map(
    ([, code]) => code,
  );
  expect([...explained].sort()).toEqual([...ERROR_CODES].sort());
});

interface Import {
  readonly from: string;
  /** A path in this checkout, or the name of a package. */
  readonly to: string;
  readonly typeOnly: boolean;
}

const STATEMENT =
  /^\s*(?:import|export)\s+(type\s)?[^"']*?from\s+["']([^"']+)["']|(?:^|[^.\w])import\(\s*["']([^"']+)["']|^\s*import\s+["']([^"']+)["']/gm;

const importsOf = (path: string): readonly Import[] =>
  [...read(path).matchAll(STATEMENT)].map(([, type, from, lazy, bare]) => {
    const name = from ?? lazy ?? bare ?? "";
    const to = name.startsWith(".") ? posix.join(posix.dirname(path), name) : name;
    return { from: path, to, typeOnly: type !== undefined };
  });

/** Imports from a folder that no rule allows. */
function strangers(folder: string, allowed: (entry: Import) => boolean): readonly string[] {
  return product
    .filter((path) => path.startsWith(`src/${folder}/`))
    .flatMap(importsOf)
    .filter((entry) => !entry.to.startsWith(`src/${folder}/`) && !allowed(entry))
    .map(({ from, to }) => `${from} imports ${to}`);
}
const under =
  (...folders: readonly string[]) =>
  ({ to }: Import): boolean =>
    folders.some((folder) => to.startsWith(`src/${folder}/`));

test("the import scanner sees static, lazy and bare imports", () => {
  const main = importsOf("src/main.ts").map(({ to }) => to);
  expect(main).toContain("src/cli/program.ts");
  expect(main).toContain("src/daemon/run.ts");
  expect(main).toContain("node:fs");
});

test("kit imports nothing but a hash function", () => {
  expect(strangers("kit", ({ to }) => to.startsWith("@noble/hashes/"))).toEqual([]);
});

test("core imports kit, and nothing that does IO", () => {
  expect(strangers("core", under("kit"))).toEqual([]);
});

test("wire imports kit, core's types, and packages that compute and do no IO", () => {
  const pure = /^(zod$|yaml$|@noble\/hashes\/)/;
  const allowed = (entry: Import): boolean =>
    under("kit")(entry) || pure.test(entry.to) || (entry.typeOnly && under("core")(entry));
  expect(strangers("wire", allowed)).toEqual([]);
});

test("ports import types only", () => {
  expect(strangers("ports", (entry) => entry.typeOnly && under("kit", "core", "wire")(entry))).toEqual([]);
});

test("no adapter imports another adapter, the daemon or the command line", () => {
  const adapterOf = (path: string): string => path.split("/").slice(0, 3).join("/");
  /** Not an adapter: what those that keep a SQLite file have in common. */
  const common = "src/adapters/sqlite";
  const wrong = product
    .filter((path) => path.startsWith("src/adapters/"))
    .flatMap(importsOf)
    .filter(({ from, to }) =>
      to.startsWith("src/adapters/")
        ? adapterOf(to) !== adapterOf(from) && adapterOf(to) !== common
        : under("daemon", "cli", "web")({ from, to, typeOnly: false }),
    )
    .map(({ from, to }) => `${from} imports ${to}`);
  expect(wrong).toEqual([]);
});

test("the command line does not import the daemon", () => {
  expect(strangers("cli", (entry) => under("kit", "wire")(entry) || !entry.to.startsWith("src/"))).toEqual(
    [],
  );
});

test("every port has a contract suite", () => {
  const suites = all.filter((path) => path.startsWith("test/contract/")).map((path) => basename(path));
  const ports = product.filter((path) => dirname(path) === "src/ports").map((path) => basename(path, ".ts"));
  const without = ports.filter((port) => !suites.some((suite) => suite.startsWith(port)));
  expect(without).toEqual([]);
});
