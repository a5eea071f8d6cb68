/** Runs bin/balefire as a person does, against a real control socket with answers made up for the test. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createControlServer } from "../../src/adapters/control/server.ts";
import { unwrap } from "../../src/kit/result.ts";
import type { MuteReport, NodeReport, RpcHandlers, StatusReport } from "../../src/wire/rpc.ts";
import { heatHandlers } from "./cli-heat-answers.ts";
import { keymasterHandlers } from "./cli-keymaster-answers.ts";
import { rootHandlers } from "./cli-root-answers.ts";

export const BALEFIRE: string = join(dirname(fileURLToPath(import.meta.url)), "../../bin/balefire");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly program?: string;
  /** What the process reads from its standard input; closed at once without. */
  readonly input?: string;
  /** Called with what was printed so far; may end the process. */
  readonly onOutput?: (stdout: string, interrupt: () => void) => void;
}

/** Nothing of the machine's own mesh, settings or colours gets in. */
const CLEAN_ENV: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
  BALEFIRE_STATE_DIR: "/nonexistent/state",
  BALEFIRE_CONFIG: "/nonexistent/config.yaml",
  BALEFIRE_SOCKET: "/nonexistent/socket",
};

export function balefire(args: readonly string[], around: Surroundings = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(around.program ?? BALEFIRE, args, {
      env: { ...CLEAN_ENV, ...around.env },
      cwd: around.cwd ?? "/",
      stdio: ["pipe", "pipe", "pipe"],
    });
    const printed = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      printed.stdout += chunk.toString();
      around.onOutput?.(printed.stdout, () => child.kill("SIGINT"));
    });
    child.stderr.on("data", (chunk: Buffer) => {
      printed.stderr += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...printed }));
    child.stdin.end(around.input ?? "");
  });
}

export interface Rig {
  readonly folder: string;
  readonly socketPath: string;
  /** Runs against this rig's daemon. */
  run(args: readonly string[], around?: Surroundings): Promise<Ended>;
  /** Runs with `--json` and parses what is printed. */
  json(args: readonly string[]): Promise<{ readonly code: number | null; readonly document: unknown }>;
  close(): Promise<void>;
}

export async function createRig(handlers: Partial<RpcHandlers> = {}): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "balefire-cli-"));
  const socketPath = join(folder, "balefire.sock");
  const server = createControlServer({ socketPath, handlers: { ...sampleHandlers, ...handlers } });
  unwrap(await server.listen());
  const run = (args: readonly string[], around: Surroundings = {}): Promise<Ended> =>
    balefire(args, { ...around, env: { BALEFIRE_SOCKET: socketPath, ...around.env } });
  return {
    folder,
    socketPath,
    run,
    json: async (args) => {
      const { code, stdout } = await run([...args, "--json"]);
      return { code, document: JSON.parse(stdout) };
    },
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const ago = (milliseconds: number): string => new Date(Date.now() - milliseconds).toISOString();
const DAY = 86_400_000;

const node = (name: string, rest: Partial<NodeReport> = {}): NodeReport => ({
  id: `00000000-0000-4000-8000-00000000000${name.codePointAt(0)?.toString(16).at(-1)}`,
  name,
  addresses: [`10.0.0.${name.codePointAt(0)}:7654`],
  verdict: "alive",
  since: ago(200_000),
  incarnation: 1,
  path: "datagram",
  rttMs: 0.42,
  certificateExpires: ago(-29.2 * DAY),
  lastHeard: ago(100),
  clockOffsetMs: 2,
  beatsPerSecond: 5,
  keymaster: false,
  maintenance: null,
  farewell: null,
  expected: "always",
  ...rest,
});

const muted = (forMs: number | undefined, why: string, user: string): MuteReport => ({
  at: ago(0),
  until: forMs === undefined ? null : ago(-forMs),
  by: `${user}@a`,
  why,
});

export const healthy: StatusReport = {
  schema: 1,
  at: ago(0),
  mesh: "7c1f0d7e-7d5c-4c2f-9a35-000000000001",
  self: node("a").id,
  name: "a",
  keymaster: node("a").id,
  generation: 1,
  term: 1,
  opener: "opener-a",
  epoch: 3,
  version: "0.1.0",
  health: "ok",
  problems: [],
  isolated: false,
  openIncidents: 0,
  silences: 0,
  quietUntil: null,
  nodes: [node("a", { path: "self", rttMs: null, lastHeard: null, keymaster: true }), node("b")],
};

export const degraded: StatusReport = {
  ...healthy,
  health: "degraded",
  problems: [
    "no channel is proven: run `balefire notify test`, so that a mesh without a working channel never looks well",
  ],
  openIncidents: 1,
  nodes: [
    ...healthy.nodes,
    node("c", { verdict: "host-down", path: "none", rttMs: null, lastHeard: ago(5000), since: ago(3200) }),
    node("a-name-as-long-as-people-make-them-when-nobody-stops-them-at-all", {
      verdict: "link-problem",
      path: "stream",
      rttMs: 118,
    }),
  ],
};

export const sampleHandlers: RpcHandlers = {
  status: async () => healthy,
  incidents: async () => ({
    schema: 1,
    at: ago(0),
    incidents: [
      {
        id: "0123456789abcdef0123456789abcdef",
        kind: "down",
        subject: node("c").id,
        name: "c",
        incarnation: 2,
        verdict: "host-down",
        severity: "critical",
        state: "open",
        since: ago(3200),
        until: null,
        topic: null,
        detail: null,
        heldBack: null,
        evidence: [
          { observer: "a", path: "datagram", last: ago(5000), probe: "silent" },
          { observer: "b", path: "none", last: null, probe: "silent" },
        ],
        told: [{ channel: "phone", phase: "open", state: "delivered", by: "b", detail: "200 OK" }],
      },
    ],
  }),
  inbox: async () => ({
    schema: 1,
    messages: [
      {
        id: "m1",
        at: ago(3000),
        phase: "open",
        title: "c is down",
        text: "Nobody hears c.\nLast heard 5 s ago.",
        by: "b",
      },
    ],
  }),
  "notify-list": async () => ({
    schema: 1,
    channels: [
      {
        name: "phone",
        type: "webhook",
        origin: "shared",
        proven: true,
        deliveries: [{ node: "b", at: ago(60_000), outcome: "delivered", detail: "200 OK" }],
      },
      { name: "spare", type: "webhook", origin: "own", proven: false, deliveries: [] },
    ],
    heartbeats: [
      {
        name: "outside",
        origin: "shared",
        everyMs: 60_000,
        silent: false,
        last: { node: "b", at: ago(20_000), detail: "200 OK" },
      },
      { name: "other", origin: "own", everyMs: 300_000, silent: true, last: null },
    ],
  }),
  "notify-test": async ({ channel }) => ({
    schema: 1,
    results: [{ channel: channel ?? "phone", outcome: "delivered", detail: "200 OK: thank you" }],
  }),
  "config-effective": async () => ({
    schema: 1,
    settings: [
      { key: "mesh.beat", value: "200ms", origin: "default" },
      { key: "channels.phone", value: { name: "phone", type: "webhook", url: "***" }, origin: "shared" },
    ],
  }),
  "config-apply": async () => ({ schema: 1, term: 1, epoch: 4, changed: true }),
  certs: async () => ({
    schema: 1,
    certificates: [
      {
        node: "a",
        id: node("a").id,
        serial: "4a5b6c7d8e9f00112233445566778899",
        issuer: `Balefire signer ${node("a").id}`,
        notBefore: ago(2 * DAY),
        notAfter: ago(-28 * DAY),
        state: "valid",
        source: "own",
        renewalDue: ago(-9 * DAY),
        lastTry: { at: ago(DAY), failure: "the keymaster did not answer within 10 s" },
        nextTry: ago(-9 * DAY),
      },
      {
        node: "b",
        id: node("b").id,
        serial: "5a5b6c7d8e9f00112233445566778899",
        issuer: null,
        notBefore: ago(25 * DAY),
        notAfter: ago(-5 * DAY),
        state: "late",
        source: "roster",
        renewalDue: ago(13 * DAY),
        lastTry: null,
        nextTry: null,
      },
    ],
  }),
  "certs-renew": async ({ node: name }) => ({
    schema: 1,
    node: name ?? "a",
    serial: "6a5b6c7d8e9f00112233445566778899",
    notAfter: ago(-30 * DAY),
  }),
  crls: async () => ({
    schema: 1,
    roots: [
      {
        root: "R".repeat(43),
        lists: [
          {
            issuer: `Balefire signer ${node("a").id}`,
            number: 1_795_312_800,
            thisUpdate: ago(2 * DAY),
            nextUpdate: ago(-28 * DAY),
            entries: [
              { serial: "4d".repeat(16), node: "c", at: ago(2 * DAY), reason: "keyCompromise" },
              { serial: "4e".repeat(16), node: null, at: ago(3 * DAY), reason: "cessationOfOperation" },
            ],
          },
        ],
        pem: "-----BEGIN X509 CRL-----\nMA==\n-----END X509 CRL-----\n",
      },
      { root: "S".repeat(43), lists: [], pem: "" },
    ],
  }),
  "node-remove": async ({ node: name, suspected }) => ({
    schema: 1,
    node: name,
    id: node("c").id,
    suspected,
    generation: 1,
    term: 1,
    opener: "opener-a",
    epoch: 5,
    reached: ["b"],
    waiting: ["d"],
  }),
  "node-readdress": async ({ node: name, addresses }) => ({
    schema: 1,
    node: name,
    id: node("c").id,
    addresses,
    generation: 1,
    term: 1,
    opener: "opener-a",
    epoch: 5,
    reached: ["b"],
    waiting: [],
  }),
  "token-create": async ({ name, expiresMs }) => ({
    schema: 1,
    token: `balefire-join-${name}`,
    id: "t1",
    name,
    expires: ago(-expiresMs),
  }),
  "token-list": async () => ({
    schema: 1,
    tokens: [{ id: "t1", name: "b", created: ago(60_000), expires: ago(-3_540_000), state: "open" }],
  }),
  "token-revoke": async ({ id }) => ({ schema: 1, id, revoked: true }),
  "maintenance-on": async ({ node: name, forMs, why, user }) => ({
    schema: 1,
    renewed: false,
    maintenance: { ...muted(forMs, why, user), node: node(name).id, name },
  }),
  "maintenance-off": async ({ node: name }) => ({ schema: 1, node: node(name).id, name, ended: true }),
  "maintenance-list": async () => ({
    schema: 1,
    maintenances: [{ ...muted(7_200_000, "new disk", "root"), node: node("b").id, name: "b" }],
  }),
  "silence-add": async ({ forMs, why, user }) => ({
    schema: 1,
    silence: {
      ...muted(forMs, why, user),
      id: "0a1b2c3d",
      matcher: { node: "pve*", kind: null, severity: "warning" },
    },
  }),
  "silence-list": async () => ({
    schema: 1,
    silences: [
      {
        ...muted(undefined, "", "root"),
        id: "0a1b2c3d",
        matcher: { node: "pve*", kind: "link-problem", severity: null },
      },
      { ...muted(60_000, "", "root"), id: "4e5f6071", matcher: { node: null, kind: null, severity: null } },
    ],
  }),
  "silence-remove": async ({ id }) => ({ schema: 1, id, removed: true }),
  ...heatHandlers,
  ...keymasterHandlers,
  ...rootHandlers,
  doctor: async () => ({
    schema: 1,
    findings: [{ check: "clock", level: "ok", finding: "within 3 ms of b", remedy: null }],
  }),
  watch: (emit) => {
    emit({
      schema: 1,
      event: "verdict",
      at: ago(0),
      name: "b",
      from: "alive",
      to: "suspect",
      why: "no beat for 0.6 s",
    });
    emit({
      schema: 1,
      event: "message",
      at: ago(0),
      channel: "phone",
      outcome: "delivered",
      title: "b is down",
      detail: "200",
    });
    return () => undefined;
  },
};
