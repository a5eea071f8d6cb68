/** The real join, over a real connection: once for each host, before virtual time begins. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import type { Identity } from "../../src/daemon/identity.ts";
import { joinMesh } from "../../src/daemon/join.ts";
import { unwrap } from "../../src/kit/result.ts";
import { hours, type WallTime } from "../../src/kit/time.ts";
import { JOIN_ALPN } from "../../src/wire/join.ts";

export interface Newcomer {
  readonly name: string;
  readonly stateDir: string;
  readonly address: string;
  readonly clock: () => WallTime;
}

export async function admit(
  keymaster: Identity,
  { name, stateDir, address, clock }: Newcomer,
): Promise<void> {
  const signing = keymaster.seat.current();
  if (signing === undefined) throw new Error(`${keymaster.name} does not sign`);
  const server = createServer({
    key: keymaster.keyPem,
    cert: keymaster.certificatePem,
    minVersion: "TLSv1.3",
    ALPNProtocols: [JOIN_ALPN],
  });
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {});
    void signing.handleJoin(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { token } = unwrap(await signing.createToken(name, hours(1)));
    const via = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    unwrap(await joinMesh({ stateDir, token, via, addresses: [address], clock }));
  } finally {
    server.close();
  }
}
