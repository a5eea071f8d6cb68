/**
 * The control socket's language: one JSON object a line, 1 MiB a line at most.
 * Request `{id, method, params}`; answer `{id, result}` or `{id, error}` with a
 * Failure; `watch` answers with many `{id, event}` lines until the caller leaves.
 * Results are exactly what `--json` prints (`schema` comes first); times are ISO 8601.
 */
import * as z from "zod";
import type { RosterRank } from "../core/types.ts";
import type { CrlsReport } from "./crl-reports.ts";
import { type HeatParamsOf, type HeatResults, heatParams } from "./heat-reports.ts";
import type { CertsRenewReport, CertsReport, NodeReaddressReport, NodeRemoveReport } from "./key-reports.ts";
import { type KeymasterParamsOf, type KeymasterResults, keymasterParams } from "./keymaster-reports.ts";
import { type RootParamsOf, type RootResults, rootParams } from "./root-reports.ts";
import { NODE_ADDRESSES_MAX, REVOCATION_REASON_CHARS_MAX } from "./roster.ts";
import { MUTE_FOR_LEAST, MUTE_FOR_MOST, MUTE_WHY_CHARS_MAX } from "./rpc-limits.ts";

export { RPC_LINE_BYTES_MAX } from "./rpc-limits.ts";

export interface RpcParamsOf extends HeatParamsOf, KeymasterParamsOf, RootParamsOf {
  status: Record<never, never>;
  incidents: Record<never, never>;
  inbox: Record<never, never>;
  "notify-list": Record<never, never>;
  /** Without a channel: all of them. */
  "notify-test": { channel?: string | undefined };
  "config-effective": Record<never, never>;
  /** The text of a shared configuration file; relayed to the keymaster, which numbers and signs it. */
  "config-apply": { text: string };
  certs: Record<never, never>;
  /** Without a node: this one. */
  "certs-renew": { node?: string | undefined };
  /** The revocation lists in the roster that this node holds. */
  crls: Record<never, never>;
  /** On the keymaster. `suspected`: its key may be in other hands, and people are told. */
  "node-remove": { node: string; why: string; suspected: boolean };
  "node-readdress": { node: string; addresses: readonly string[] };
  "token-create": { name: string; expiresMs: number };
  "token-list": Record<never, never>;
  "token-revoke": { id: string };
  /** Nobody is told of the node; `node`: its name or id. Over a maintenance that holds, it replaces that one. */
  "maintenance-on": { node: string } & MuteWish;
  "maintenance-off": { node: string; user: string };
  "maintenance-list": Record<never, never>;
  /** `matcher`: as daemon/matcher.ts reads it. */
  "silence-add": { matcher: string } & MuteWish;
  "silence-list": Record<never, never>;
  "silence-remove": { id: string; user: string };
  doctor: Record<never, never>;
  /** Streams every notice as it happens. */
  watch: Record<never, never>;
}
export interface MuteWish {
  /** 1m to 365d; absent: until someone ends it. */
  forMs?: number | undefined;
  why: string;
  /** Who asks; the daemon adds its node's name. */
  user: string;
}
export type RpcMethod = keyof RpcParamsOf;
export type RpcParams<M extends RpcMethod> = RpcParamsOf[M];

const none: z.ZodType<Record<never, never>> = z.object({});
const user = z.string().min(1).max(64);
const wish = {
  forMs: z.number().min(MUTE_FOR_LEAST).max(MUTE_FOR_MOST).optional(),
  why: z.string().max(MUTE_WHY_CHARS_MAX),
  user,
};
const nodeName = z.string().max(64);
export const rpcParams: { readonly [M in RpcMethod]: z.ZodType<RpcParamsOf[M]> } = {
  status: none,
  incidents: none,
  inbox: none,
  "notify-list": none,
  "notify-test": z.object({ channel: z.string().max(63).optional() }),
  "config-effective": none,
  "config-apply": z.object({ text: z.string().max(262_144) }),
  certs: none,
  "certs-renew": z.object({ node: nodeName.optional() }),
  crls: none,
  "node-remove": z.object({
    node: nodeName,
    why: z.string().max(REVOCATION_REASON_CHARS_MAX),
    suspected: z.boolean(),
  }),
  "node-readdress": z.object({
    node: nodeName,
    addresses: z.array(z.string().max(64)).min(1).max(NODE_ADDRESSES_MAX),
  }),
  "token-create": z.object({ name: z.string().max(63), expiresMs: z.number().positive() }),
  "token-list": none,
  "token-revoke": z.object({ id: z.string().max(64) }),
  "maintenance-on": z.object({ node: nodeName, ...wish }),
  "maintenance-off": z.object({ node: nodeName, user }),
  "maintenance-list": none,
  "silence-add": z.object({ matcher: z.string().max(400), ...wish }),
  "silence-list": none,
  "silence-remove": z.object({ id: z.string().max(64), user }),
  ...heatParams,
  ...keymasterParams,
  ...rootParams,
  doctor: none,
  watch: none,
};

export const rpcRequest: z.ZodType<{ id: number; method: string; params: unknown }> = z.object({
  id: z.number().int().nonnegative(),
  method: z.string().max(64),
  params: z.unknown(),
});

export interface NodeReport {
  readonly id: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly verdict: string;
  readonly since: string;
  readonly incarnation: number;
  readonly path: "datagram" | "stream" | "self" | "none";
  readonly rttMs: number | null;
  readonly certificateExpires: string | null;
  readonly lastHeard: string | null;
  readonly clockOffsetMs: number | null;
  readonly beatsPerSecond: number;
  readonly keymaster: boolean;
  readonly maintenance: MuteReport | null;
  /** What it gave as its reason when it said goodbye; null = none, or it is there. */
  readonly farewell: "stop" | "reboot" | "shutdown" | "thermal" | null;
  /** `sometimes`: nobody is told of its absence. */
  readonly expected: "always" | "sometimes";
}

/** Why messages are held back; `until` null = until someone ends it. */
export interface MuteReport {
  readonly at: string;
  readonly until: string | null;
  readonly by: string;
  readonly why: string;
}
export interface MaintenanceReport extends MuteReport {
  /** The node's id. */
  readonly node: string;
  readonly name: string;
}
export interface SilenceReport extends MuteReport {
  readonly id: string;
  /** All that is given must fit; nothing given fits everything. `severity`: this and milder. */
  readonly matcher: {
    readonly node: string | null;
    readonly kind: string | null;
    readonly severity: string | null;
  };
}
export interface MaintenanceOnReport {
  readonly schema: 1;
  /** The node was in maintenance before. */
  readonly renewed: boolean;
  readonly maintenance: MaintenanceReport;
}
export interface MaintenanceOffReport {
  readonly schema: 1;
  readonly node: string;
  readonly name: string;
  /** False: it was not in maintenance. */
  readonly ended: boolean;
}
export interface MaintenanceListReport {
  readonly schema: 1;
  readonly maintenances: readonly MaintenanceReport[];
}
export interface SilenceAddReport {
  readonly schema: 1;
  readonly silence: SilenceReport;
}
export interface SilenceListReport {
  readonly schema: 1;
  readonly silences: readonly SilenceReport[];
}
export interface SilenceRemoveReport {
  readonly schema: 1;
  readonly id: string;
  /** False: it had ended already. */
  readonly removed: boolean;
}

export interface StatusReport extends RosterRank {
  readonly schema: 1;
  /** The time this node goes by: its host's clock, or the mesh's while that one is off. */
  readonly at: string;
  readonly mesh: string;
  /** This node's id. */
  readonly self: string;
  readonly name: string;
  /** The keymaster's id. */
  readonly keymaster: string;
  readonly version: string;
  /** `degraded`: something is wrong. `unproven`: all is well here, but no channel has proven that it reaches a person. `problems` has the reasons. */
  readonly health: "ok" | "unproven" | "degraded";
  readonly problems: readonly string[];
  readonly isolated: boolean;
  readonly openIncidents: number;
  /** Silences in force. */
  readonly silences: number;
  /** The end of the quiet hours, while they hold. */
  readonly quietUntil: string | null;
  readonly nodes: readonly NodeReport[];
}

export interface IncidentReport {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly name: string;
  readonly incarnation: number;
  readonly verdict: string;
  readonly severity: string;
  /** `unknown`: it was open when its host fell silent. `note`: told once, when it is over. */
  readonly state: "open" | "unknown" | "resolved" | "note";
  readonly since: string;
  readonly until: string | null;
  /** The other end of a link, or the kind of what comes and goes. */
  readonly topic: string | null;
  /** Its author's own words. */
  readonly detail: string | null;
  /** Why what is owed waits; `until` null = until someone ends it. */
  readonly heldBack: { readonly why: string; readonly until: string | null } | null;
  readonly evidence: readonly { observer: string; path: string; last: string | null; probe: string }[];
  readonly told: readonly {
    channel: string;
    phase: string;
    state: string;
    by: string | null;
    detail: string | null;
  }[];
}
export interface IncidentsReport {
  readonly schema: 1;
  /** As in StatusReport. */
  readonly at: string;
  readonly incidents: readonly IncidentReport[];
}

export interface InboxReport {
  readonly schema: 1;
  readonly messages: readonly {
    id: string;
    at: string;
    phase: string;
    title: string;
    text: string;
    by: string;
  }[];
}

export interface NotifyListReport {
  readonly schema: 1;
  readonly channels: readonly {
    name: string;
    type: string;
    /** `own` file or `shared` through the roster. */
    origin: string;
    proven: boolean;
    deliveries: readonly { node: string; at: string; outcome: string; detail: string }[];
  }[];
  /** Dead-man's heartbeats: pinged by one node at a time. */
  readonly heartbeats: readonly {
    name: string;
    origin: string;
    everyMs: number;
    /** No ping was delivered for three periods. */
    silent: boolean;
    last: { node: string; at: string; detail: string } | null;
  }[];
}

export interface NotifyTestReport {
  readonly schema: 1;
  readonly results: readonly {
    channel: string;
    outcome: "delivered" | "temporary" | "permanent";
    detail: string;
  }[];
}

export interface ConfigEffectiveReport {
  readonly schema: 1;
  /** The effective configuration with secrets replaced by `***`, each setting with its origin. */
  readonly settings: readonly {
    key: string;
    value: unknown;
    origin: "default" | "file" | "shared" | "environment";
  }[];
}

export interface ConfigApplyReport {
  readonly schema: 1;
  readonly term: number;
  readonly epoch: number;
  readonly changed: boolean;
}

export interface TokenCreateReport {
  readonly schema: 1;
  readonly token: string;
  readonly id: string;
  readonly name: string;
  readonly expires: string;
}
export interface TokenListReport {
  readonly schema: 1;
  readonly tokens: readonly {
    id: string;
    name: string;
    created: string;
    expires: string;
    state: "open" | "used" | "expired" | "revoked";
  }[];
}
export interface TokenRevokeReport {
  readonly schema: 1;
  readonly id: string;
  readonly revoked: boolean;
}

export interface DoctorReport {
  readonly schema: 1;
  readonly findings: readonly {
    check: string;
    level: "ok" | "warning" | "failed";
    finding: string;
    remedy: string | null;
  }[];
}

/** One line of `watch`; `event` names the kind, the rest is the notice. */
export interface WatchEvent {
  readonly schema: 1;
  readonly event: "verdict" | "incident" | "message" | "isolated" | "mute" | "warning";
  readonly at: string;
  readonly [detail: string]: unknown;
}

export interface RpcResults extends HeatResults, KeymasterResults, RootResults {
  status: StatusReport;
  incidents: IncidentsReport;
  inbox: InboxReport;
  "notify-list": NotifyListReport;
  "notify-test": NotifyTestReport;
  "config-effective": ConfigEffectiveReport;
  "config-apply": ConfigApplyReport;
  certs: CertsReport;
  "certs-renew": CertsRenewReport;
  crls: CrlsReport;
  "node-remove": NodeRemoveReport;
  "node-readdress": NodeReaddressReport;
  "token-create": TokenCreateReport;
  "token-list": TokenListReport;
  "token-revoke": TokenRevokeReport;
  "maintenance-on": MaintenanceOnReport;
  "maintenance-off": MaintenanceOffReport;
  "maintenance-list": MaintenanceListReport;
  "silence-add": SilenceAddReport;
  "silence-list": SilenceListReport;
  "silence-remove": SilenceRemoveReport;
  doctor: DoctorReport;
  watch: never;
}

/** What the daemon offers behind the socket; a thrown FailureError becomes the answer's `error`. */
export type RpcHandlers = {
  [M in Exclude<RpcMethod, "watch">]: (params: RpcParams<M>) => Promise<RpcResults[M]>;
} & {
  /** Calls `emit` for each event until the returned function is called. */
  watch: (emit: (event: WatchEvent) => void) => () => void;
};
