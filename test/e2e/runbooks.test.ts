/**
 * Every command that a runbook tells people to type is run here by the real program. Those for the daemon
 * are answered by a made-up one; that they do what the runbook says, mesh-keymaster, mesh-keys and
 * mesh-root show: they take their commands from the same text.
 */
import { spawnSync } from "node:child_process";
import { copyFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRig, type Rig } from "./cli-rig.ts";
import { rig as keymasterRig, temporaryFolder } from "./join-rig.ts";
import { balefireLines, blockLines, RUNBOOKS, runbookCommand, wordsOf } from "./runbook.ts";

/** Run and it does what it says; 3: it has also found something to say. */
const GOOD_ENDS = [0, 3];
const AT_ONCE = 3;
const CHANNELS = "channels:\n  - name: phone\n    type: webhook\n    url: http://127.0.0.1:9/\n";
let cli: Rig;

beforeAll(async () => {
  cli = await createRig();
});
afterAll(() => cli.close());

interface Surroundings {
  readonly folder: string;
  readonly stateDir: string;
  readonly recoveryCode: string;
  /** Of the mesh's only node, which listens. */
  readonly address: string;
  token(): Promise<string>;
}

/** A folder with all that the runbooks have people name, on a host of a real mesh. */
async function surroundings(): Promise<Surroundings> {
  const { mesh, stateDir, address, token } = await keymasterRig();
  const folder = await temporaryFolder();
  await copyFile(join(stateDir, "recovery.balefire"), join(folder, "recovery.balefire"));
  await writeFile(join(folder, "shared.yaml"), CHANNELS, { mode: 0o600 });
  return { folder, stateDir, recoveryCode: mesh.recoveryCode, address, token: () => token("pve9") };
}

async function complaint(line: string, around: Surroundings): Promise<string | undefined> {
  const { folder, stateDir, recoveryCode, address } = around;
  const isJoin = line.startsWith("balefire join ");
  const token = isJoin ? await around.token() : "";
  const words = wordsOf(line, {
    TOKEN: token,
    IP: "127.0.0.9",
    "10.0.0.2": "127.0.0.9",
    "10.0.0.3": address,
    FILE: "shared.yaml",
    "/media/usb/recovery.balefire": join(folder, "recovery.balefire"),
  });
  const { code, stdout, stderr } = await cli.run(words, {
    cwd: folder,
    input: `${isJoin ? token : recoveryCode}\n`,
    env: {
      // Who joins has no state yet.
      BALEFIRE_STATE_DIR: isJoin ? join(folder, `joined-${token.slice(-8)}`) : stateDir,
      BALEFIRE_CONFIG: join(folder, "shared.yaml"),
    },
  });
  return GOOD_ENDS.includes(code ?? -1) ? undefined : `${line}: ended with ${code}\n${stdout}${stderr}`;
}

describe("the commands of a runbook are taken as they stand", () => {
  test.each(RUNBOOKS)("%s", async (runbook) => {
    const around = await surroundings();
    const lines = [...balefireLines(runbook)];
    expect(lines.length).toBeGreaterThan(0);
    const complaints: string[] = [];
    const work = async (): Promise<void> => {
      for (let line = lines.shift(); line !== undefined; line = lines.shift())
        complaints.push(...[(await complaint(line, around)) ?? []].flat());
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(complaints).toEqual([]);
  });

  test("and one that does not exist, or whose flags are others, is not", async () => {
    const around = await surroundings();
    for (const line of ["balefire keymaster demote", "balefire root rotate --skip pve3"])
      expect(await complaint(line, around)).toContain("ended with 2");
    expect(() => runbookCommand("stolen-host", "node forget")).toThrow("has no command");
  });
});

/** Others' programs that runbooks name; those that only look are run where they are installed. */
const OTHERS = ["chronyc", "ip", "journalctl", "ping", "ss", "systemctl", "timedatectl", "timeout"];
const LOOKING = ["ip", "ss", "timeout"];

test("what else is to be typed is of programs that every Proxmox host has, and is accepted by those that only look", async () => {
  const lines = [...new Set(RUNBOOKS.flatMap(blockLines))].filter((line) => !line.startsWith("balefire "));
  const programOf = (line: string): string => line.split(" ")[0] ?? "";
  expect([...new Set(lines.map(programOf))].filter((program) => !OTHERS.includes(program))).toEqual([]);
  const listener = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  const { port } = listener.address() as { port: number };
  for (const line of lines) {
    const here = line.replace("10.0.0.2/7654", `127.0.0.1/${port}`);
    const isRun = LOOKING.includes(programOf(line)) && hasProgram(programOf(line));
    const { status, stderr } = spawnSync("bash", [isRun ? "-c" : "-nc", here], { encoding: "utf8" });
    expect({ line, status, stderr }).toEqual({ line, status: 0, stderr: "" });
  }
  listener.close();
});

const hasProgram = (name: string): boolean => spawnSync("bash", ["-c", `command -v ${name}`]).status === 0;
