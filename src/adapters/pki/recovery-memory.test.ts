/** What the root key leaves in the memory of a process that has opened it: looked for from outside, through /proc. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wallTime } from "../../kit/time.ts";
import { issueRoot } from "./issue.ts";
import { generateKey } from "./keys.ts";
import { sealRecovery } from "./recovery.ts";
import { generateRecoveryCode } from "./recovery-code.ts";

const HOLDER = join(dirname(fileURLToPath(import.meta.url)), "../../../test/contract/root-key-holder.ts");
const CHUNK_BYTES = 16 * 1024 * 1024;
const OVERLAP_BYTES = 64;
const folder = mkdtempSync(join(tmpdir(), "balefire-memory-"));
const file = join(folder, "recovery.json");
const code = generateRecoveryCode();
let scalar: Buffer;

beforeAll(async () => {
  const mesh = "0b8f4c6e-53a1-4c55-9f0e-0c7d1f3f9a11";
  const key = generateKey();
  const root = { mesh, key, certificate: await issueRoot(mesh, key, wallTime(Date.now())) };
  writeFileSync(file, JSON.stringify(await sealRecovery(root, code)));
  scalar = Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** How often the private number lies in memory: as in a file, and as OpenSSL keeps it, lowest byte first. */
async function copiesAfterUse(mode: "keep" | "let-go"): Promise<number> {
  const words = ["--expose-gc", "--disable-warning=ExperimentalWarning", HOLDER, file, mode];
  const child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const done = new Promise((resolve, reject) => {
      child.stdout.once("data", resolve);
      child.once("exit", reject);
    });
    child.stdin.write(`${code}\n`);
    await done;
    return countIn(child, scalar) + countIn(child, Buffer.from(scalar).reverse());
  } finally {
    child.kill("SIGKILL");
  }
}

function countIn({ pid }: ChildProcess, wanted: Buffer): number {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  let count = 0;
  for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
    const [, from = "", to = ""] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    const end = Number.parseInt(to, 16);
    for (let at = Number.parseInt(from, 16); at < end; at += CHUNK_BYTES) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES + OVERLAP_BYTES, end - at));
      const read = chunk.subarray(0, readSync(memory, chunk, 0, chunk.length, at));
      for (let hit = read.indexOf(wanted); hit >= 0 && hit < CHUNK_BYTES; hit = read.indexOf(wanted, hit + 1))
        count += 1;
    }
  }
  closeSync(memory);
  return count;
}

test("a key that is in use is found, or this test could not see it", async () => {
  expect(await copiesAfterUse("keep")).toBeGreaterThan(0);
});

test("a key that was used and let go has left no copy: not in buffers, not in OpenSSL", async () => {
  expect(await copiesAfterUse("let-go")).toBe(0);
});
