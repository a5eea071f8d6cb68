/**
 * `config apply`: any node takes the text, the keymaster numbers and signs it.
 * Questions travel as the peers' request and response, the answer returns to
 * whoever asked.
 */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import type { Request, Response } from "../core/messages.ts";
import type { NodeId } from "../core/types.ts";
import { type Failure, FailureError, failure, ok, type Result } from "../kit/result.ts";
import type { PeerTransport } from "../ports/transport.ts";
import { parseConfig } from "../wire/config.ts";
import { formatProblems } from "../wire/config-problems.ts";
import type { ConfigApplyReport } from "../wire/rpc.ts";
import type { Keymaster } from "./keymaster.ts";

/** The keymaster has this long to answer. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Questions of this node that may wait for their answers. */
const WAITING_MAX = 32;

export interface SharedConfigOptions {
  readonly keymaster: Keymaster | undefined;
  readonly keymasterId: () => NodeId;
  readonly transport: PeerTransport;
  /** Who changed what all share belongs in the journal. */
  readonly log: (line: string) => void;
  /** A peer whose certificate is outside its validity may watch, not configure. */
  readonly mayConfigure: (peer: NodeId) => boolean;
}

export interface SharedConfig {
  apply(text: string): Promise<Result<ConfigApplyReport>>;
  /** A request or response that came from a peer. */
  take(from: NodeId, message: Request | Response): void;
}

interface Question {
  readonly to: NodeId;
  readonly settle: (response: Response) => void;
}

export function createSharedConfig(options: SharedConfigOptions): SharedConfig {
  const waiting = new Map<string, Question>();

  const applyHere = async (keymaster: Keymaster, text: string): Promise<Result<ConfigApplyReport>> => {
    const parsed = parseConfig(text, "the shared configuration", "shared");
    if (!parsed.ok) return failure("config-invalid", formatProblems(parsed.problems));
    const applied = await keymaster.applyConfig(text);
    if (!applied.ok) return applied;
    const { term, epoch, changed } = applied.value;
    return ok({ schema: 1, term, epoch, changed });
  };

  const askKeymaster = (text: string): Promise<Result<ConfigApplyReport>> => {
    if (waiting.size >= WAITING_MAX) {
      return Promise.resolve(failure("limit-reached", "too many changes wait for the keymaster already"));
    }
    const id = randomUUID();
    const to = options.keymasterId();
    return new Promise((resolve) => {
      const settle = (result: Result<ConfigApplyReport>): void => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(result);
      };
      const timer = setTimeout(() => {
        const remedy = "Look at `balefire status`: the keymaster must be alive to change what all share.";
        settle(failure("keymaster-unreachable", "the keymaster did not answer within 10 s", remedy, true));
      }, ANSWER_TIMEOUT_MS);
      waiting.set(id, { to, settle: (response) => settle(parseResponse(response)) });
      const message = { t: "request", id, method: "config-apply", body: JSON.stringify({ text }) } as const;
      options.transport.send(to, "stream", { message });
    });
  };

  const serve = async (from: NodeId, request: Request): Promise<void> => {
    const result = await answerTo(from, request);
    const body = JSON.stringify(result.ok ? result.value : result.error);
    const message = { t: "response", id: request.id, ok: result.ok, body } as const;
    options.transport.send(from, "stream", { message });
  };

  const answerTo = async (from: NodeId, request: Request): Promise<Result<ConfigApplyReport>> => {
    if (options.keymaster === undefined) return failure("not-keymaster", "this node is not the keymaster");
    if (!options.mayConfigure(from)) {
      const remedy = "Renew that node's certificate first.";
      return failure("permission-denied", "its certificate is outside its validity", remedy);
    }
    const body = requestBody.safeParse(parseJson(request.body));
    if (!body.success) return failure("protocol-violation", "the request cannot be read");
    const applied = await applyHere(options.keymaster, body.data.text);
    const outcome = applied.ok ? (applied.value.changed ? "applied" : "no change") : applied.error.message;
    options.log(`shared configuration from node ${from}: ${outcome}`);
    return applied;
  };

  return {
    apply: (text) =>
      options.keymaster === undefined ? askKeymaster(text) : applyHere(options.keymaster, text),
    take: (from, message) => {
      if (message.t === "request") void serve(from, message);
      else if (waiting.get(message.id)?.to === from) waiting.get(message.id)?.settle(message);
    },
  };
}

const requestBody = z.object({ text: z.string().max(262_144) });
const reportBody = z.object({ term: z.number(), epoch: z.number(), changed: z.boolean() });
const failureBody = z.object({
  code: z.string(),
  message: z.string().max(20_000),
  remedy: z.string().max(2000).optional(),
  retry: z.boolean(),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseResponse(response: Response): Result<ConfigApplyReport> {
  const body = parseJson(response.body);
  if (response.ok) {
    const report = reportBody.safeParse(body);
    if (report.success) return ok({ schema: 1, ...report.data });
  } else {
    const refusal = failureBody.safeParse(body);
    if (refusal.success) return { ok: false, error: refusal.data as Failure };
  }
  return failure("protocol-violation", "the keymaster's answer cannot be read");
}

/** For handlers that throw their failures. */
export function orThrow<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new FailureError(result.error);
}
