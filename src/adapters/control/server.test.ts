import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FailureError } from "../../kit/result.ts";
import { RPC_LINE_BYTES_MAX, type RpcHandlers, type WatchEvent } from "../../wire/rpc.ts";
import { UNREAD_BYTES_MAX } from "./connection.ts";
import {
  CONTROL_CONNECTIONS_MAX,
  type ControlServer,
  type ControlServerOptions,
  createControlServer,
} from "./server.ts";

const refusing = (): Promise<never> => Promise.reject(new Error("not under test"));
const handlers: RpcHandlers = {
  status: refusing,
  incidents: async () => ({ schema: 1, at: "2027-01-15T08:00:00.000Z", incidents: [] }),
  inbox: async () => ({ schema: 1, messages: [] }),
  "notify-list": refusing,
  "notify-test": async ({ channel }) => ({
    schema: 1,
    results: [{ channel: channel ?? "all", outcome: "delivered", detail: "" }],
  }),
  "config-effective": refusing,
  "config-apply": refusing,
  certs: refusing,
  "certs-renew": refusing,
  crls: refusing,
  "recovery-renew": refusing,
  "root-rotate": refusing,
  "offer-take": refusing,
  "root-waive": refusing,
  "root-status": refusing,
  "keymaster-show": refusing,
  "keymaster-promote": refusing,
  "keymaster-move": refusing,
  "standby-add": refusing,
  "standby-remove": refusing,
  "keymaster-confirm": refusing,
  "keymaster-drop": refusing,
  "node-remove": refusing,
  "node-readdress": refusing,
  "token-create": refusing,
  "token-list": refusing,
  "token-revoke": refusing,
  "maintenance-on": refusing,
  "maintenance-off": refusing,
  "maintenance-list": refusing,
  "silence-add": refusing,
  "silence-list": refusing,
  "silence-remove": refusing,
  temps: refusing,
  blackbox: refusing,
  history: refusing,
  doctor: refusing,
  watch: () => () => undefined,
};

let folder: string;
let socketPath: string;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "balefire-control-"));
  socketPath = join(folder, "run", "balefire.sock");
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await rm(folder, { recursive: true });
});

function serverWith(options: Partial<ControlServerOptions> = {}): ControlServer {
  const server = createControlServer({ socketPath, handlers, ...options });
  cleanups.push(() => server.close());
  return server;
}
async function listening(options: Partial<ControlServerOptions> = {}): Promise<ControlServer> {
  const server = serverWith(options);
  expect(await server.listen()).toEqual({ ok: true, value: undefined });
  return server;
}

interface Caller {
  readonly socket: Socket;
  send(text: string): void;
  next(): Promise<unknown>;
  ended(): Promise<void>;
}
async function caller(path: string = socketPath): Promise<Caller> {
  const socket = connect(path);
  socket.on("error", () => undefined);
  cleanups.push(() => socket.destroy());
  await once(socket, "connect");
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return {
    socket,
    send: (text) => void socket.write(text),
    next: async () => {
      const line = await lines.next();
      return line.done === true ? undefined : JSON.parse(line.value);
    },
    ended: () => closed,
  };
}
const request = (id: number, method: string, params: unknown = {}): string =>
  `${JSON.stringify({ id, method, params })}\n`;

describe("the control socket", () => {
  it("is for its owner alone, in a folder others may enter", async () => {
    await listening();
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "run"))).mode & 0o777).toBe(0o755);
  });

  it("is gone after close", async () => {
    const server = await listening();
    await server.close();
    await expect(stat(socketPath)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("left behind by a killed daemon is replaced", async () => {
    const script = `require("net").createServer().listen(${JSON.stringify(join(folder, "stale.sock"))}, () => console.log("up"))`;
    const killed = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(killed.stdout, "data");
    killed.kill("SIGKILL");
    await once(killed, "exit");
    socketPath = join(folder, "stale.sock");
    expect((await stat(socketPath)).isSocket()).toBe(true);
    await listening();
    const { send, next } = await caller();
    send(request(1, "inbox"));
    expect(await next()).toEqual({ id: 1, result: { schema: 1, messages: [] } });
  });

  it("of a running daemon is not taken over", async () => {
    await listening();
    expect(await serverWith().listen()).toMatchObject({ ok: false, error: { code: "daemon-running" } });
    const { send, next } = await caller();
    send(request(1, "inbox"));
    expect(await next()).toMatchObject({ id: 1 });
  });

  it("never replaces what is not a socket", async () => {
    socketPath = join(folder, "important");
    await writeFile(socketPath, "text");
    expect(await serverWith().listen()).toMatchObject({ ok: false, error: { code: "usage" } });
    expect((await stat(socketPath)).isFile()).toBe(true);
  });

  it.each([
    ["with a path too long for the kernel", () => join(folder, "x".repeat(120)), "usage"],
    ["below a file", () => join(folder, "file", "x.sock"), "usage"],
    ["where no folder can be", () => "/proc/none/x.sock", "usage"],
    ["more than one folder down", () => join(folder, "one", "two", "x.sock"), "usage"],
  ])("%s is refused with a reason", async (_, path, code) => {
    await writeFile(join(folder, "file"), "");
    socketPath = path();
    expect(await serverWith().listen()).toMatchObject({ ok: false, error: { code } });
  });
});

describe("who may speak", () => {
  it("is told apart by the kernel's word", async () => {
    const seen: unknown[] = [];
    await listening({ allow: (credentials) => seen.push(credentials) > 0 });
    const { send, next } = await caller();
    send(request(1, "inbox"));
    await next();
    expect(seen).toEqual([{ pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() }]);
  });

  it("a stranger is turned away and reaches no handler", async () => {
    let asked = 0;
    const lines: string[] = [];
    await listening({
      allow: () => false,
      log: (line) => lines.push(line),
      handlers: { ...handlers, inbox: async () => ({ schema: 1, messages: [], asked: ++asked }) },
    });
    const { send, next, ended } = await caller();
    send(request(1, "inbox"));
    expect(await next()).toMatchObject({ id: 0, error: { code: "permission-denied" } });
    await ended();
    expect(asked).toBe(0);
    expect(lines).toHaveLength(1);
  });

  it.skipIf(process.getuid?.() !== 0)(
    "another user is a stranger, even where the mode would let him in",
    async () => {
      await listening();
      await chmod(folder, 0o755);
      await chmod(socketPath, 0o666);
      const script = `const s = require("net").connect(${JSON.stringify(socketPath)}); s.on("error", (e) => console.log(e.code)); s.pipe(process.stdout); s.write(${JSON.stringify(request(1, "inbox"))});`;
      // 65534 is "nobody" on Debian; an own copy of node might lie where nobody may not read.
      const other = spawn("/bin/sh", ["-c", 'exec "$0" -e "$1"', process.execPath, script], {
        uid: 65534,
        gid: 65534,
        cwd: "/",
      });
      let said = "";
      other.stdout.on("data", (chunk) => {
        said += String(chunk);
      });
      await once(other, "close");
      expect(JSON.parse(said)).toMatchObject({
        error: { code: "permission-denied", message: expect.stringContaining("65534") },
      });
    },
  );
});

describe("requests", () => {
  it("are answered in order, also when they come at once or in pieces", async () => {
    await listening();
    const { socket, send, next } = await caller();
    socket.setNoDelay(true);
    send(
      request(1, "notify-test", { channel: "a" }) +
        request(2, "notify-test") +
        request(3, "inbox").slice(0, 10),
    );
    expect(await next()).toMatchObject({ id: 1, result: { results: [{ channel: "a" }] } });
    expect(await next()).toMatchObject({ id: 2, result: { results: [{ channel: "all" }] } });
    send(request(3, "inbox").slice(10));
    expect(await next()).toMatchObject({ id: 3 });
  });

  it("that fail are answered with the failure", async () => {
    const failure = {
      code: "channel-unknown",
      message: "no channel x",
      remedy: "see",
      retry: false,
    } as const;
    await listening({
      handlers: { ...handlers, "notify-test": () => Promise.reject(new FailureError(failure)) },
    });
    const { send, next } = await caller();
    send(request(7, "notify-test", { channel: "x" }));
    expect(await next()).toEqual({ id: 7, error: failure });
  });

  it("that meet a bug are answered without its details, which go to the log", async () => {
    const lines: string[] = [];
    const bug = (): Promise<never> => Promise.reject(new Error("the secret word"));
    await listening({ handlers: { ...handlers, inbox: bug }, log: (line) => lines.push(line) });
    const { send, next } = await caller();
    send(request(1, "inbox"));
    const answer = await next();
    expect(answer).toMatchObject({ id: 1, error: { code: "internal" } });
    expect(JSON.stringify(answer)).not.toContain("secret word");
    expect(lines.join()).toContain("secret word");
    send(request(2, "incidents"));
    expect(await next()).toMatchObject({ id: 2, result: { incidents: [] } });
  });

  it.each([
    ["of an unknown method", request(1, "format-disk"), 1],
    ["of a method that only objects have", request(1, "constructor"), 1],
    ["with wrong parameters", request(1, "notify-test", { channel: 5 }), 1],
    ["that are no JSON", "hello\n", 0],
    ["that are no request", "[]\n", 0],
    ["without an id", '{"method":"inbox","params":{}}\n', 0],
  ])("%s are refused", async (_, text, id) => {
    await listening();
    const { send, next } = await caller();
    send(text);
    expect(await next()).toMatchObject({ id, error: { code: "protocol-violation" } });
  });

  it("after a broken one are not looked at", async () => {
    await listening();
    const { send, next, ended } = await caller();
    send(`hello\n${request(2, "inbox")}`);
    expect(await next()).toMatchObject({ id: 0 });
    expect(await next()).toBeUndefined();
    await ended();
  });

  it.each([
    ["without an end", "x".repeat(RPC_LINE_BYTES_MAX + 1)],
    ["with one", `${"x".repeat(RPC_LINE_BYTES_MAX + 1)}\n`],
  ])("longer than a line may be, %s, end the connection", async (_, text) => {
    await listening();
    const { send, next, ended } = await caller();
    send(text);
    expect(await next()).toMatchObject({ id: 0, error: { code: "limit-reached" } });
    await ended();
  });

  it("of one caller too many are refused, and welcome again when another has left", async () => {
    await listening();
    const first = await caller();
    const others = await Promise.all(Array.from({ length: CONTROL_CONNECTIONS_MAX - 1 }, () => caller()));
    for (const each of [first, ...others]) {
      each.send(request(1, "inbox"));
      await each.next();
    }
    const late = await caller();
    expect(await late.next()).toMatchObject({ id: 0, error: { code: "limit-reached", retry: true } });
    first.socket.destroy();
    await expect
      .poll(async () => {
        const again = await caller();
        again.send(request(1, "inbox"));
        return again.next();
      })
      .toMatchObject({ id: 1 });
  });

  it("of a caller who left before the answer harm nobody", async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun = (): void => undefined;
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const slow = async (): Promise<{ schema: 1; messages: [] }> => {
      begun();
      await held;
      return { schema: 1, messages: [] };
    };
    await listening({ handlers: { ...handlers, inbox: slow } });
    const leaver = await caller();
    leaver.send(request(1, "inbox"));
    await started;
    leaver.socket.destroy();
    release();
    const { send, next } = await caller();
    send(request(1, "incidents"));
    expect(await next()).toMatchObject({ id: 1 });
  });
});

describe("watching", () => {
  const event = (text: string): WatchEvent => ({
    schema: 1,
    event: "warning",
    at: "2026-01-01T00:00:00Z",
    text,
  });

  it("brings events until the caller leaves, and then stops", async () => {
    let emit: (event: WatchEvent) => void = () => undefined;
    let stopped = (): void => undefined;
    const stop = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    const watch: RpcHandlers["watch"] = (given) => {
      emit = given;
      given(event("first"));
      return stopped;
    };
    await listening({ handlers: { ...handlers, watch } });
    const { socket, send, next } = await caller();
    send(request(4, "watch"));
    expect(await next()).toEqual({ id: 4, event: event("first") });
    emit(event("second"));
    expect(await next()).toMatchObject({ id: 4, event: { text: "second" } });
    socket.destroy();
    await stop;
  });

  it("takes no second request", async () => {
    await listening();
    const { send, next, ended } = await caller();
    send(request(1, "watch") + request(2, "watch"));
    expect(await next()).toMatchObject({ error: { code: "protocol-violation" } });
    await ended();
  });

  it("without reading ends before memory fills", async () => {
    let emit: (event: WatchEvent) => void = () => undefined;
    let stopped = false;
    const watch: RpcHandlers["watch"] = (given) => {
      emit = given;
      given(event("ready"));
      return () => {
        stopped = true;
      };
    };
    await listening({ handlers: { ...handlers, watch } });
    const { socket, send, next } = await caller();
    send(request(1, "watch"));
    await next();
    socket.pause();
    const text = "x".repeat(65_536);
    for (let sent = 0; sent < UNREAD_BYTES_MAX * 2; sent += text.length) emit(event(text));
    await expect.poll(() => stopped).toBe(true);
  });
});
