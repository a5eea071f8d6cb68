import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CHECKOUT } from "../lab/driver/checkout.ts";

let checkout: string;
const lock = (change: (packages: Record<string, { version?: string }>) => void, file: string): void => {
  const text = JSON.parse(readFileSync(join(CHECKOUT, file), "utf8"));
  change(text.packages);
  writeFileSync(join(checkout, file), JSON.stringify(text));
};

/** What the installer says of a checkout made of our lock files, some of them changed. */
async function reasonThere(): Promise<string | undefined> {
  const installer = await import(`${join(checkout, "scripts/install.mjs")}`);
  return installer.whyStale();
}

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), "balefire-install-"));
  mkdirSync(join(checkout, "scripts"));
  mkdirSync(join(checkout, "node_modules/.bin"), { recursive: true });
  cpSync(join(CHECKOUT, "scripts/install.mjs"), join(checkout, "scripts/install.mjs"));
  writeFileSync(join(checkout, "node_modules/.bin/node"), "");
  lock(() => {}, "package-lock.json");
  lock(() => {}, "node_modules/.package-lock.json");
});
afterEach(() => rmSync(checkout, { recursive: true }));

test("what is installed as locked is left alone, so that a second start is quick", async () => {
  expect(await reasonThere()).toBeUndefined();
});

test("a package that is missing or of another version asks for an installation", async () => {
  lock((packages) => delete packages["node_modules/zod"], "node_modules/.package-lock.json");
  expect(await reasonThere()).toContain("node_modules/zod is not installed");
  lock(
    (packages) => Object.assign(packages["node_modules/zod"] ?? {}, { version: "0.0.1" }),
    "node_modules/.package-lock.json",
  );
  expect(await reasonThere()).toContain("zod is 0.0.1");
});

test("a missing Node, or nothing installed, asks for an installation", async () => {
  rmSync(join(checkout, "node_modules/.bin/node"));
  expect(await reasonThere()).toContain("own Node");
  rmSync(join(checkout, "node_modules/.package-lock.json"));
  expect(await reasonThere()).toContain("nothing is installed");
});
