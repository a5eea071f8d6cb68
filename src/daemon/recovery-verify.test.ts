import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { refusal, temporaryFolder } from "../../test/e2e/join-rig.ts";
import { makeFolders } from "../../test/e2e/root-rig.ts";
import { verifyRecovery } from "./recovery-verify.ts";

test("a code is tried on the roster of any node, and on any copy of the file; nothing is changed", async () => {
  const { folders, code } = await makeFolders(2);
  const [first = "", second = ""] = folders;
  const before = await readFile(join(second, "roster.json"), "utf8");
  expect(await verifyRecovery({ stateDir: second, code })).toMatchObject({
    ok: true,
    value: { source: "roster", trusted: true },
  });
  const elsewhere = await temporaryFolder();
  const copy = join(elsewhere, "kept.balefire");
  await cp(join(first, "recovery.balefire"), copy);
  expect(await verifyRecovery({ stateDir: second, recoveryFile: copy, code })).toMatchObject({
    ok: true,
    value: { source: copy, trusted: true },
  });
  // On a host of no mesh it opens as well, and nobody can say whether it counts.
  expect(await verifyRecovery({ stateDir: elsewhere, recoveryFile: copy, code })).toMatchObject({
    ok: true,
    value: { trusted: null },
  });
  expect(await readFile(join(second, "roster.json"), "utf8")).toBe(before);
});

test("what cannot be tried is refused with its reason", async () => {
  const { folders, code } = await makeFolders(1);
  const [stateDir = ""] = folders;
  const elsewhere = await temporaryFolder();
  expect(await verifyRecovery({ stateDir: elsewhere, code })).toMatchObject(
    refusal("state-missing", "holds no roster"),
  );
  const file = (name: string): string => join(elsewhere, name);
  expect(await verifyRecovery({ stateDir, code, recoveryFile: file("none") })).toMatchObject(
    refusal("state-missing", "does not exist"),
  );
  const text = await readFile(join(stateDir, "recovery.balefire"), "utf8");
  const damages: readonly (readonly [string, string])[] = [
    ["torn", text.slice(0, text.length / 2)],
    ["huge", text.padEnd(9 * 1024 * 1024)],
    ["another", await readFile(join(stateDir, "node.json"), "utf8")],
    [
      "flipped",
      text.replace(/"sealed": "./, (begin) => `${begin.slice(0, -1)}${begin.endsWith("A") ? "B" : "A"}`),
    ],
    ["empty", ""],
  ];
  for (const [name, damaged] of damages) {
    await writeFile(file(name), damaged);
    const verified = await verifyRecovery({ stateDir, code, recoveryFile: file(name) });
    expect(verified, name).toMatchObject(refusal("state-corrupt", file(name)));
  }
  expect(await verifyRecovery({ stateDir, code: "0".repeat(35) })).toMatchObject(refusal("recovery-invalid"));
});
