/**
 * A process that ends itself with SIGKILL at the n-th step that changes the disk. Run with one
 * argument, JSON: what to do, and at which step to die; 0 is never.
 */
import { createServer } from "node:tls";
import { type Identity, loadIdentity } from "../../src/daemon/identity.ts";
import { type InitOptions, initMesh } from "../../src/daemon/init.ts";
import { type JoinOptions, joinMesh } from "../../src/daemon/join.ts";
import { openRootKey, type RootKey } from "../../src/daemon/root-key.ts";
import { addStandby, promoteByRoot, promoteStandby } from "../../src/daemon/takeover.ts";
import { unwrap } from "../../src/kit/result.ts";
import { wallTime } from "../../src/kit/time.ts";
import { JOIN_ALPN } from "../../src/wire/join.ts";

export type CrashTask = { readonly dieAt: number } & (
  | { readonly do: "init"; readonly options: InitOptions }
  | { readonly do: "join"; readonly options: JoinOptions }
  | { readonly do: "keymaster"; readonly stateDir: string }
  | { readonly do: "renew"; readonly stateDir: string; readonly certificatePem: string }
  /** Without a code: as a standby. */
  | { readonly do: "promote"; readonly stateDir: string; readonly code?: string }
  | { readonly do: "make-signing-key"; readonly stateDir: string }
  | {
      readonly do: "certify";
      readonly stateDir: string;
      readonly node: string;
      readonly csr: string;
      readonly code: string;
    }
  | { readonly do: "take-roster"; readonly stateDir: string; readonly roster: string }
);

const task = JSON.parse(process.argv[2] ?? "") as CrashTask;
let steps = 0;

function checkpoint(): void {
  steps += 1;
  if (steps === task.dieAt) process.kill(process.pid, "SIGKILL");
}

async function serve(stateDir: string): Promise<void> {
  const { keyPem, certificatePem, seat } = unwrap(await loadIdentity(stateDir, { checkpoint }));
  const server = createServer({ key: keyPem, cert: certificatePem, ALPNProtocols: [JOIN_ALPN] });
  server.on("secureConnection", (socket) => void seat.current()?.handleJoin(socket));
  server.listen(0, "127.0.0.1", () => console.log(JSON.stringify(server.address())));
}

const rootOf = async ({ keeper }: Identity, code: string): Promise<RootKey> =>
  unwrap(await openRootKey({ roster: keeper.current().roster, code }));

switch (task.do) {
  case "init":
    unwrap(
      await initMesh({
        ...task.options,
        checkpoint,
        announce: ({ recoveryCode }) => console.log(recoveryCode),
      }),
    );
    break;
  case "join":
    unwrap(await joinMesh({ ...task.options, checkpoint }));
    break;
  case "keymaster":
    await serve(task.stateDir);
    break;
  case "renew": {
    const { certificate } = unwrap(await loadIdentity(task.stateDir, { checkpoint }));
    checkpoint();
    unwrap(await certificate.replace(task.certificatePem, wallTime(Date.now())));
    checkpoint();
    break;
  }
  case "promote": {
    const identity = unwrap(await loadIdentity(task.stateDir, { checkpoint }));
    const { code } = task;
    if (code === undefined) unwrap(await promoteStandby(identity, wallTime(Date.now())));
    else unwrap(await promoteByRoot(identity, await rootOf(identity, code), wallTime(Date.now())));
    break;
  }
  case "make-signing-key":
    unwrap(await unwrap(await loadIdentity(task.stateDir, { checkpoint })).seat.pendingKey());
    break;
  case "certify": {
    const identity = unwrap(await loadIdentity(task.stateDir, { checkpoint }));
    const root = await rootOf(identity, task.code);
    unwrap(await addStandby(identity.seat.office, task.node, task.csr, root, wallTime(Date.now())));
    break;
  }
  case "take-roster": {
    const { keeper, seat } = unwrap(await loadIdentity(task.stateDir, { checkpoint }));
    unwrap(await keeper.consider(task.roster));
    unwrap(await seat.settle());
    break;
  }
}
