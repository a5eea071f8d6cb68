/** Questions that one node asks another over their session, and the answers; most are for the keymaster. */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import type { Request, RequestMethod, Response } from "../core/messages.ts";
import type { NodeId } from "../core/types.ts";
import { type Failure, fail, failure, type Result } from "../kit/result.ts";
import type { Duration } from "../kit/time.ts";
import type { PeerTransport } from "../ports/transport.ts";

/** Whoever is asked has this long to answer. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Questions of one peer that are looked into at once. */
const ANSWERING_MAX = 8;
/** Questions of this node that may wait for their answers. */
const WAITING_MAX = 32;

/** Serves one method. `body` is whatever the peer sent; who that is has been proven. */
export type Answerer = (from: NodeId, body: unknown) => Promise<Result<object>>;

export interface QuestionsOptions {
  readonly transport: Pick<PeerTransport, "send">;
  /** Resolves to whether there is a session with the peer; may make one. */
  readonly reach: (peer: NodeId) => Promise<boolean>;
}

export interface Question<T> {
  readonly method: RequestMethod;
  readonly body: object;
  readonly answer: z.ZodType<T>;
  /** What it means that no answer comes. */
  readonly unanswered: Failure;
  /** For an answer; 10 s without. One may be lost with the session it was asked on. */
  readonly timeout?: Duration;
}

export interface Questions {
  ask<T>(to: NodeId, question: Question<T>): Promise<Result<T>>;
  /** From now on this node answers the method. */
  serve(method: RequestMethod, answerer: Answerer): void;
  /** A request or response that came from a peer. */
  take(from: NodeId, message: Request | Response): void;
}

/** The answer to what only the keymaster can do. */
export const NOT_KEYMASTER: Result<never> = failure("not-keymaster", "this node is not the keymaster");

interface Waiting {
  readonly to: NodeId;
  readonly settle: (response: Response) => void;
}

export function createQuestions({ transport, reach }: QuestionsOptions): Questions {
  const waiting = new Map<string, Waiting>();
  const answerers = new Map<RequestMethod, Answerer>();
  /** How many questions of each peer are being looked into. */
  const answering = new Map<NodeId, number>();

  const resultOf = async (
    from: NodeId,
    answerer: Answerer | undefined,
    body: string,
  ): Promise<Result<object>> => {
    if (answerer === undefined) return NOT_KEYMASTER;
    const busy = answering.get(from) ?? 0;
    if (busy >= ANSWERING_MAX)
      return failure("limit-reached", "too many questions of this node are open already", undefined, true);
    answering.set(from, busy + 1);
    try {
      return await answerer(from, parseJson(body));
    } finally {
      const left = (answering.get(from) ?? 1) - 1;
      if (left === 0) answering.delete(from);
      else answering.set(from, left);
    }
  };

  const answer = async (from: NodeId, { id, method, body }: Request): Promise<void> => {
    const result = await resultOf(from, answerers.get(method), body);
    const text = JSON.stringify(result.ok ? result.value : result.error);
    transport.send(from, "stream", { message: { t: "response", id, ok: result.ok, body: text } });
  };

  const send = <T>(to: NodeId, question: Question<T>): Promise<Result<T>> => {
    const id = randomUUID();
    return new Promise((resolve) => {
      const settle = (result: Result<T>): void => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(result);
      };
      const timer = setTimeout(
        () => settle(fail(question.unanswered)),
        question.timeout ?? ANSWER_TIMEOUT_MS,
      );
      waiting.set(id, { to, settle: (response) => settle(parseResponse(response, question.answer)) });
      const body = JSON.stringify(question.body);
      transport.send(to, "stream", { message: { t: "request", id, method: question.method, body } });
    });
  };

  return {
    ask: async (to, question) => {
      if (waiting.size >= WAITING_MAX)
        return failure("limit-reached", "too many questions wait for their answers already", undefined, true);
      return (await reach(to)) ? send(to, question) : fail(question.unanswered);
    },
    serve: (method, answerer) => {
      answerers.set(method, answerer);
    },
    take: (from, message) => {
      if (message.t === "request") void answer(from, message);
      else if (waiting.get(message.id)?.to === from) waiting.get(message.id)?.settle(message);
    },
  };
}

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

function parseResponse<T>(response: Response, shape: z.ZodType<T>): Result<T> {
  const body = parseJson(response.body);
  if (response.ok) {
    const parsed = shape.safeParse(body);
    if (parsed.success) return { ok: true, value: parsed.data };
  } else {
    const refusal = failureBody.safeParse(body);
    if (refusal.success) return { ok: false, error: refusal.data as Failure };
  }
  return failure("protocol-violation", "the answer cannot be read");
}
