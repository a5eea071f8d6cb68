import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CHECKOUT } from "../lab/driver/checkout.ts";
import { entryFor, missingOptional } from "./complete-lock.ts";

test("the lock file names every optional package, or npm ci refuses it on other machines", () => {
  const { packages } = JSON.parse(readFileSync(join(CHECKOUT, "package-lock.json"), "utf8"));
  expect(missingOptional(packages).map(({ name }) => name)).toEqual([]);
});

test("a missing package gets the platform that is in its name", () => {
  const packages = {
    "node_modules/a": { dev: true, optionalDependencies: { "@a/b-linux-arm64-musl": "1.2.3" } },
  };
  const [missing] = missingOptional(packages);
  expect(missing).toEqual({ name: "@a/b-linux-arm64-musl", version: "1.2.3", dev: true });
  expect(missing && entryFor(missing)).toEqual({
    version: "1.2.3",
    cpu: ["arm64"],
    dev: true,
    libc: ["musl"],
    optional: true,
    os: ["linux"],
  });
});

test("a name without a platform, or a range, is left to a person", () => {
  expect(() => entryFor({ name: "left-pad", version: "1.0.0", dev: false })).toThrow(
    "cannot tell the platform",
  );
  expect(() => entryFor({ name: "a-linux-x64", version: "^1.0.0", dev: false })).toThrow(
    "cannot tell the platform",
  );
});
