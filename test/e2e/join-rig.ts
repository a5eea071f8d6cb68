/** A keymaster's port as the mesh serves it: TLS 1.3, ALPN, each accepted socket given to the join desk. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { afterEach, expect } from "vitest";
import { type Identity, loadIdentity } from "../../src/daemon/identity.ts";
import { initMesh, type NewMesh } from "../../src/daemon/init.ts";
import type { JoinOptions } from "../../src/daemon/join.ts";
import type { Keymaster } from "../../src/daemon/keymaster.ts";
import { unwrap } from "../../src/kit/result.ts";
import { hours, type WallTime, wallTime } from "../../src/kit/time.ts";
import { JOIN_ALPN } from "../../src/wire/join.ts";

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export const afterThisTest = (cleanup: () => Promise<void> | void): void => {
  cleanups.push(cleanup);
};

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "balefire-test-"));
  afterThisTest(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Rig {
  readonly mesh: NewMesh;
  readonly stateDir: string;
  readonly identity: Identity;
  readonly keymaster: Keymaster;
  /** Where the keymaster listens. */
  readonly address: string;
  /** Moves the keymaster's wall clock. */
  advance(length: number): void;
  token(name: string, life?: number): Promise<string>;
  /** Stops listening and reads the state folder again, as a restarted daemon would. */
  restart(): Promise<Rig>;
}

/** A mesh of one whose keymaster listens on loopback. */
export async function rig(): Promise<Rig> {
  const stateDir = join(await temporaryFolder(), "keymaster");
  const listener = await listening();
  const mesh = unwrap(await initMesh({ stateDir, name: "pve1", addresses: [listener.address] }));
  return serve(stateDir, mesh, listener);
}

interface Listening {
  readonly server: Server;
  readonly address: string;
}

async function serve(stateDir: string, mesh: NewMesh, { server, address }: Listening): Promise<Rig> {
  let offset = 0;
  const clock = (): WallTime => wallTime(Date.now() + offset);
  const identity = unwrap(await loadIdentity(stateDir, { clock }));
  const keymaster = identity.seat.current();
  if (keymaster === undefined) throw new Error("init made no keymaster");
  answerWith(server, identity, (socket) => void keymaster.handleJoin(socket));
  return {
    mesh,
    stateDir,
    identity,
    keymaster,
    address,
    advance: (length) => {
      offset += length;
    },
    token: async (name, life = hours(1)) => unwrap(await keymaster.createToken(name, life)).token,
    restart: () => serve(stateDir, mesh, { server, address }),
  };
}

/** Binds first, so that the mesh can be made with the port that was given. */
export async function listening(alpn: readonly string[] = [JOIN_ALPN]): Promise<Listening> {
  const server = createServer({ minVersion: "TLSv1.3", ALPNProtocols: [...alpn] });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets = new Set<TLSSocket>();
  server.on("secureConnection", (socket: TLSSocket) => sockets.add(socket));
  afterThisTest(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Serves with this key and certificate from now on. */
export function answerWith(
  server: Server,
  credentials: { readonly keyPem: string; readonly certificatePem: string },
  handle: (socket: TLSSocket) => void,
): void {
  server.setSecureContext({
    key: credentials.keyPem,
    cert: credentials.certificatePem,
    minVersion: "TLSv1.3",
  });
  server.removeAllListeners("secureConnection");
  server.on("secureConnection", (socket: TLSSocket) => {
    afterThisTest(() => {
      socket.destroy();
    });
    socket.on("error", () => {});
    handle(socket);
  });
}

/** Options for a join from an empty host. */
export const newHost = async (token: string, change: Partial<JoinOptions> = {}): Promise<JoinOptions> => ({
  stateDir: join(await temporaryFolder(), "state"),
  token,
  addresses: ["127.0.0.2"],
  ...change,
});
/** What a refused result looks like. */
export const refusal = (code: string, message = ""): object => ({
  ok: false,
  error: { code, message: expect.stringContaining(message) },
});
