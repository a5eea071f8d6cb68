/**
 * A process for recovery-memory.test.ts to look into: opens the sealed root key with the code that its
 * standard input has in its first line, has it sign a certificate and be sealed anew, and says so. With
 * `keep` it then holds on to the key, else it lets go. Lives until it is killed.
 */
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { issueIntermediate } from "../../src/adapters/pki/issue.ts";
import { generateKey } from "../../src/adapters/pki/keys.ts";
import { openRecovery, type RootAuthority, sealRecovery } from "../../src/adapters/pki/recovery.ts";
import { generateRecoveryCode } from "../../src/adapters/pki/recovery-code.ts";
import { unwrap } from "../../src/kit/result.ts";
import { wallTime } from "../../src/kit/time.ts";
import type { RecoveryFile } from "../../src/wire/recovery-file.ts";

const [, , path = "", mode] = process.argv;
const held: RootAuthority[] = [];

async function use(code: string): Promise<void> {
  const file = JSON.parse(readFileSync(path, "utf8")) as RecoveryFile;
  const root = unwrap(await openRecovery(file, code));
  if (mode === "keep") held.push(root);
  await issueIntermediate("a", createPublicKey(generateKey()), root, wallTime(Date.now()));
  await sealRecovery(root, generateRecoveryCode());
}

createInterface(process.stdin).once("line", async (code) => {
  await use(code);
  const { gc } = globalThis as { gc?: () => void };
  // What is unreachable is released by finalizers, which run after the collection.
  for (let round = 0; round < 5; round += 1) {
    gc?.();
    await sleep(50);
  }
  process.stdout.write(`done, holding ${held.length}\n`);
});
