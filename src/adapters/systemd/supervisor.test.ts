import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Failure } from "../../kit/result.ts";
import { createSupervisor, type Supervisor } from "./supervisor.ts";

/** What systemd does: binds a datagram socket (an abstract one for @), prints each message with its sender's pid. */
const RECEIVER = `
import socket, struct, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind("\\0" + name[1:] if name.startswith("@") else name)
print("ready", flush=True)
while True:
    data, control, _, _ = s.recvmsg(4096, socket.CMSG_SPACE(12))
    pid = struct.unpack("3i", control[0][2])[0]
    print(pid, data.decode(), flush=True)
`;

describe("the supervisor", () => {
  let folder: string;
  const receivers: ChildProcess[] = [];
  const failures: Failure[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "balefire-notify-"));
    failures.length = 0;
  });
  afterEach(async () => {
    for (const receiver of receivers.splice(0)) {
      receiver.kill();
      await once(receiver, "close");
    }
    rmSync(folder, { recursive: true });
  });

  const supervisorOf = (env: Record<string, string>): Supervisor =>
    createSupervisor(env, { onFailure: (failure) => failures.push(failure) });
  /** Returns what arrives, line by line. */
  const receive = async (name: string): Promise<(lines: number) => Promise<string[]>> => {
    const receiver = spawn("python3", ["-c", RECEIVER, name], { stdio: ["ignore", "pipe", "inherit"] });
    receivers.push(receiver);
    let text = "";
    receiver.stdout.setEncoding("utf8").on("data", (more: string) => {
      text += more;
    });
    const lines = async (count: number): Promise<string[]> => {
      while (text.split("\n").length <= count) await once(receiver.stdout, "data");
      return text.split("\n").slice(0, count);
    };
    expect(await lines(1)).toEqual(["ready"]);
    return async (count) => (await lines(count + 1)).slice(1);
  };

  it.each([
    ["a path", () => join(folder, "notify")],
    ["an abstract name", () => `@balefire-test-${process.pid}-${Math.random()}`],
  ])("tells systemd at %s what happens", async (_, name) => {
    const path = name();
    const received = await receive(path);
    const supervisor = supervisorOf({ NOTIFY_SOCKET: path });
    supervisor.ready();
    supervisor.status("3 nodes\nREADY=0 – all alive");
    supervisor.alive();
    supervisor.stopping();
    expect(await received(4)).toEqual([
      `${process.pid} READY=1`,
      `${process.pid} STATUS=3 nodes READY=0 – all alive`,
      `${process.pid} WATCHDOG=1`,
      `${process.pid} STOPPING=1`,
    ]);
    expect(failures).toEqual([]);
  });

  it("does nothing when nobody waits for it", () => {
    const supervisor = supervisorOf({ WATCHDOG_USEC: "15000000" });
    supervisor.ready();
    supervisor.status("fine");
    supervisor.alive();
    supervisor.stopping();
    expect(supervisor.watchdogEvery).toBeUndefined();
    expect(failures).toEqual([]);
  });

  it.each([
    [{ WATCHDOG_USEC: "15000000" }, 7500],
    [{ WATCHDOG_USEC: "15000000", WATCHDOG_PID: String(process.pid) }, 7500],
    [{ WATCHDOG_USEC: "15000000", WATCHDOG_PID: "1" }, undefined],
    [{ WATCHDOG_USEC: "0" }, undefined],
    [{ WATCHDOG_USEC: "often" }, undefined],
    [{}, undefined],
  ])("reads from %j how often to report", (env, every) => {
    expect(supervisorOf({ NOTIFY_SOCKET: join(folder, "none"), ...env }).watchdogEvery).toBe(every);
  });

  it("says once that nobody listens, and again after it was heard in between", async () => {
    const path = join(folder, "notify");
    const supervisor = supervisorOf({ NOTIFY_SOCKET: path });
    supervisor.alive();
    supervisor.alive();
    expect(failures.map(({ message }) => message)).toEqual([`no message can be sent to ${path} (errno 2)`]);
    const received = await receive(path);
    supervisor.alive();
    expect(await received(1)).toHaveLength(1);
    for (const receiver of receivers.splice(0)) {
      receiver.kill();
      await once(receiver, "close");
    }
    supervisor.alive();
    supervisor.alive();
    expect(failures).toHaveLength(2);
  });

  it("never waits for a receiver that has stopped reading", async () => {
    const path = join(folder, "notify");
    await receive(path);
    receivers[0]?.kill("SIGSTOP");
    const supervisor = supervisorOf({ NOTIFY_SOCKET: path });
    const begun = performance.now();
    for (let message = 0; message < 2000; message += 1) supervisor.alive();
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(failures).toHaveLength(1);
    receivers[0]?.kill("SIGCONT");
  });

  it.each([
    ["relative/path", /neither an absolute path nor an abstract name/],
    ["vsock:2:1234", /neither an absolute path nor an abstract name/],
    [`/${"x".repeat(107)}`, /too long/],
  ])("refuses the address %s", (path, message) => {
    supervisorOf({ NOTIFY_SOCKET: path }).ready();
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ code: "config-invalid", message: expect.stringMatching(message) });
  });
});
