/** HashiCorp Serf (memberlist, SWIM with Lifeguard) with its LAN profile, as Debian packages it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boundToUs, cleanEnvironment, ended, runOrThrow } from "../lab/driver/child.ts";
import { atEnd } from "../lab/driver/cleanup.ts";
import { until } from "../lab/driver/clock.ts";
import { type NamespaceNetwork, namespaceNetwork } from "../lab/driver/namespaces.ts";
import type { Contestant, Enter } from "./contestant.ts";

const PORT = 7946;
const RPC = "-rpc-addr=127.0.0.1:7373";
const COMMAND_MS_MAX = 10_000;
const HEAL_MS_MAX = 60_000;
/** 32 bytes, base64: both contestants encrypt what they send. */
const KEY = "YmFsZWZpcmUgYmVuY2htYXJrLCBub3QgYSBzZWNyZXQ=";

/** Where Debian puts it; undefined when it is not installed. */
export const serfPath = (): string | undefined =>
  ["/usr/bin/serf", "/usr/sbin/serf"].find((path) => existsSync(path));

interface Body {
  readonly failed: readonly string[];
}

/** Serf runs this with one line a member on standard input; bash speaks TCP itself, which costs no further process. */
const handlerScript = (receiver: URL): string => `#!/bin/bash
names=
while IFS=$'\\t' read -r name _; do names="$names\${names:+,}\\"$name\\""; done
body="{\\"by\\":\\"$SERF_SELF_NAME\\",\\"failed\\":[$names]}"
exec 3<>/dev/tcp/${receiver.hostname}/${receiver.port} || exit 0
printf 'POST / HTTP/1.1\\r\\nHost: hub\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n%s' "\${#body}" "$body" >&3
cat <&3 >/dev/null
`;

export const enterSerf: Enter = async (size, progress) => {
  const serf = serfPath();
  if (serf === undefined) throw new Error("serf is not installed (apt-get install serf)");
  const folder = mkdtempSync(join(tmpdir(), "balefire-serf-"));
  const removeFolder = atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const network = namespaceNetwork(size);
  const receiver = await network.openReceiver();
  const handler = join(folder, "handler.sh");
  writeFileSync(handler, handlerScript(new URL(receiver.url)), { mode: 0o700 });
  const names = Array.from({ length: size }, (_, place) => `pve${place + 1}`);
  progress(`serf: ${size} agents`);
  const agents = names.map((name, place) => startAgent(serf, name, place, network, handler));
  const command = (place: number, verb: string, ...words: string[]): Promise<string> =>
    runOrThrow(network.inside(place, [serf, verb, RPC, ...words]), { timeoutMs: COMMAND_MS_MAX });
  const settled = (): Promise<true> =>
    until(
      "every serf agent to see every member alive",
      HEAL_MS_MAX,
      async () => {
        const seen = await Promise.all(
          names.map((_, place) => command(place, "members", "-format=json").catch(() => "{}")),
        );
        return seen.every((text) => aliveIn(text) === size) ? (true as const) : undefined;
      },
      200,
    );
  await settled();
  const contestant: Contestant = {
    name: "serf",
    version: (await runOrThrow([serf, "version"], { timeoutMs: COMMAND_MS_MAX })).split("\n")[0] ?? "",
    network,
    receiver,
    names,
    pids: agents.map((agent) => agent.pid ?? 0),
    claims: (delivery) => (delivery.body as Body).failed ?? [],
    // By itself it would try to reconnect every 30 s only: the trial is over, so it is told to.
    healed: async (victim) => {
      const place = names.indexOf(victim);
      const peer = `${network.addressOf((place + 1) % size)}:${PORT}`;
      await until(
        `${victim} to join again`,
        HEAL_MS_MAX,
        () => command(place, "join", peer).catch(() => undefined),
        100,
      );
      await settled();
    },
    close: async () => {
      for (const agent of agents) agent.kill("SIGKILL");
      await Promise.all(agents.map(ended));
      await receiver.close();
      network.close();
      removeFolder();
    },
  };
  return contestant;
};

function startAgent(
  serf: string,
  name: string,
  place: number,
  network: NamespaceNetwork,
  handler: string,
): ChildProcess {
  const argv = network.inside(place, [
    serf,
    "agent",
    `-node=${name}`,
    `-bind=${network.addressOf(place)}:${PORT}`,
    RPC,
    "-profile=lan",
    `-encrypt=${KEY}`,
    `-event-handler=member-failed=${handler}`,
    `-retry-join=${network.addressOf(0)}:${PORT}`,
    "-retry-interval=1s",
    "-log-level=err",
  ]);
  const [command = "", ...args] = boundToUs(argv);
  const agent = spawn(command, args, { stdio: "ignore", env: cleanEnvironment() });
  atEnd(() => agent.kill("SIGKILL"));
  return agent;
}

function aliveIn(text: string): number {
  const { members = [] } = JSON.parse(text) as { members?: readonly { readonly status: string }[] };
  return members.filter((member) => member.status === "alive").length;
}
