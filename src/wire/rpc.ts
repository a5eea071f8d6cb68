/**
 * The control socket's language: one JSON object a line, 1 MiB a line at most.
 * Request `{id, method, params}`; answer `{id, result}` or `{id, error}` with a
 * Failure; `watch` answers with many `{id, event}` lines until the caller leaves.
 * Results are exactly what `--json` prints (`schema` comes first); times are ISO 8601.
 */
import * as z from "zod";

export { RPC_LINE_BYTES_MAX } from "./rpc-limits.ts";

export interface RpcParamsOf {
  status: Record<never, never>;
  incidents: Record<never, never>;
  inbox: Record<never, never>;
  "notify-list": Record<never, never>;
  /** Without a channel: all of them. */
  "notify-test": { channel?: string | undefined };
  "config-effective": Record<never, never>;
  /** The text of a shared configuration file; relayed to the keymaster, which numbers and signs it. */
  "config-apply": { text: string };
  "token-create": { name: string; expiresMs: number };
  "token-list": Record<never, never>;
  "token-revoke": { id: string };
  doctor: Record<never, never>;
  /** Streams every notice as it happens. */
  watch: Record<never, never>;
}
export type RpcMethod = keyof RpcParamsOf;
export type RpcParams<M extends RpcMethod> = RpcParamsOf[M];

const none: z.ZodType<Record<never, never>> = z.object({});
export const rpcParams: { readonly [M in RpcMethod]: z.ZodType<RpcParamsOf[M]> } = {
  status: none,
  incidents: none,
  inbox: none,
  "notify-list": none,
  "notify-test": z.object({ channel: z.string().max(63).optional() }),
  "config-effective": none,
  "config-apply": z.object({ text: z.string().max(262_144) }),
  "token-create": z.object({ name: z.string().max(63), expiresMs: z.number().positive() }),
  "token-list": none,
  "token-revoke": z.object({ id: z.string().max(64) }),
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
}

export interface StatusReport {
  readonly schema: 1;
  readonly mesh: string;
  /** This node's id. */
  readonly self: string;
  readonly name: string;
  /** The keymaster's id. */
  readonly keymaster: string;
  readonly term: number;
  readonly epoch: number;
  readonly version: string;
  /** `degraded`: something is wrong. `unproven`: all is well here, but no channel has proven that it reaches a person. `problems` has the reasons. */
  readonly health: "ok" | "unproven" | "degraded";
  readonly problems: readonly string[];
  readonly isolated: boolean;
  readonly openIncidents: number;
  readonly nodes: readonly NodeReport[];
}

export interface IncidentReport {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly name: string;
  readonly incarnation: number;
  readonly verdict: string;
  readonly state: "open" | "resolved";
  readonly since: string;
  readonly until: string | null;
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
  readonly event: "verdict" | "incident" | "message" | "isolated" | "warning";
  readonly at: string;
  readonly [detail: string]: unknown;
}

export interface RpcResults {
  status: StatusReport;
  incidents: IncidentsReport;
  inbox: InboxReport;
  "notify-list": NotifyListReport;
  "notify-test": NotifyTestReport;
  "config-effective": ConfigEffectiveReport;
  "config-apply": ConfigApplyReport;
  "token-create": TokenCreateReport;
  "token-list": TokenListReport;
  "token-revoke": TokenRevokeReport;
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
