import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createProber } from "../../src/adapters/prober/tcp-prober.ts";
import type { Address } from "../../src/core/types.ts";
import { type ProberUnderTest, proberContract } from "./prober-contract.ts";

const HOST = "127.0.0.2";
/** More connects than the smallest backlog takes. */
const FILLERS = 6;

/** A process that listens; stopped, its kernel goes on answering for it until the backlog is full. */
async function startListener(
  backlog: number,
  children: ChildProcess[],
): Promise<{ port: number; stop(): void }> {
  const script = `const server = require("node:net").createServer((socket) => socket.on("error", () => {}));
    server.listen({ host: "${HOST}", port: 0, backlog: ${backlog} }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [printed] = await once(child.stdout, "data");
  return { port: Number(String(printed)), stop: () => void child.kill("SIGSTOP") };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function tcpUnderTest(): Promise<ProberUnderTest> {
  const children: ChildProcess[] = [];
  const fillers: Socket[] = [];

  const host = async (state: "listening" | "hung" | "kernel-only" | "silent"): Promise<Address> => {
    if (state === "kernel-only") return `${HOST}:${await freePort()}`;
    const listener = await startListener(state === "silent" ? 1 : 100, children);
    if (state !== "listening") listener.stop();
    for (let filler = 0; state === "silent" && filler < FILLERS; filler += 1) {
      const socket = connect({ host: HOST, port: listener.port }).on("error", () => undefined);
      fillers.push(socket);
      await Promise.race([once(socket, "connect"), new Promise((resolve) => setTimeout(resolve, 50))]);
    }
    return `${HOST}:${listener.port}`;
  };

  return {
    prober: createProber({ own: ["127.0.0.1:7654", "[::1]:7654"] }),
    host,
    close: async () => {
      for (const socket of fillers) socket.destroy();
      for (const child of children) child.kill("SIGKILL");
    },
  };
}

proberContract("the TCP prober", tcpUnderTest);
