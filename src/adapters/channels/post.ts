/**
 * One HTTP POST over a fresh connection, bounded in time and in what is read.
 * By node:http rather than fetch: both cost 1.5 MB, but fetch pools connections, follows
 * redirects unless told otherwise, and cannot time connecting apart from answering.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import { networkReason } from "./network-reason.ts";

export const CONNECT_MS_MAX: number = 5000;
export const REPLY_BYTES_MAX: number = 65_536;
/** Once the status is known, the rest of the reply is a courtesy to the reader of the detail. */
export const REPLY_MS_MAX: number = 1000;

export interface Post {
  readonly url: URL;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** Whom to trust behind https. Default: the roots that Node brings along. */
  readonly trust: SecureContext | undefined;
  /** From name lookup to the last byte of the reply. */
  readonly totalMs: number;
}

export interface PostAnswered {
  readonly type: "answered";
  readonly status: number;
  readonly reply: string;
  /** More of the reply was not read. */
  readonly cut: boolean;
  readonly retryAfter: string | undefined;
  readonly location: string | undefined;
}

export type PostEnd =
  | PostAnswered
  /** No status came: refused, reset, no such name, untrusted certificate. */
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "timed-out"; readonly waitingFor: "connection" | "answer"; readonly afterMs: number };

/** Never rejects; ends within `totalMs`. */
export function post(what: Post): Promise<PostEnd> {
  return new Promise((resolve) => {
    const request = open(what);
    const timers: NodeJS.Timeout[] = [];
    let responded = false;
    let soFar: () => PostEnd = () => ({ type: "timed-out", waitingFor: "answer", afterMs: what.totalMs });

    const end = (result: PostEnd): void => {
      for (const timer of timers) clearTimeout(timer);
      request.destroy();
      resolve(result);
    };
    const endAfter = (afterMs: number, result: () => PostEnd): NodeJS.Timeout => {
      const timer = setTimeout(() => end(result()), afterMs);
      timers.push(timer);
      return timer;
    };

    const connectMs = Math.min(CONNECT_MS_MAX, what.totalMs);
    const connecting = endAfter(connectMs, () => ({
      type: "timed-out",
      waitingFor: "connection",
      afterMs: connectMs,
    }));
    endAfter(what.totalMs, () => soFar());
    request.on("socket", (socket) => onceUsable(socket, what.url, () => clearTimeout(connecting)));
    request.on("response", (response) => {
      responded = true;
      soFar = collect(response, () => end(soFar()));
      endAfter(REPLY_MS_MAX, () => soFar());
    });
    // After a status the connection may break as it likes: the receiver has said what it did.
    request.on("error", (error) => end(responded ? soFar() : failed(networkReason(error))));
    request.on("close", () => end(responded ? soFar() : failed("closed without an answer")));
    request.end(what.body);
  });
}

const failed = (reason: string): PostEnd => ({ type: "failed", reason });

function open({ url, headers, trust }: Post): ClientRequest {
  const secure = url.protocol === "https:";
  return (secure ? httpsRequest : httpRequest)({
    method: "POST",
    // Without the brackets that a URL puts around IPv6.
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: { ...basicAuthorization(url), ...headers },
    agent: false,
    ...(trust === undefined ? {} : { secureContext: trust }),
  });
}

/** RFC 7617; a percent sign that encodes nothing stands for itself. */
function basicAuthorization(url: URL): Record<string, string> {
  if (url.username === "" && url.password === "") return {};
  const plain = (text: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  const credentials = Buffer.from(`${plain(url.username)}:${plain(url.password)}`);
  return { Authorization: `Basic ${credentials.toString("base64")}` };
}

/** Calls back when the connection can carry the request: for https, after the handshake. */
function onceUsable(socket: Socket, url: URL, then: () => void): void {
  socket.once(url.protocol === "https:" ? "secureConnect" : "connect", then);
}

/** Reads until the end or the limit, then calls `done`; returns what is known at any moment. */
function collect(response: IncomingMessage, done: () => void): () => PostAnswered {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let whole = false;
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk.subarray(0, REPLY_BYTES_MAX - bytes));
    bytes += chunk.length;
    if (bytes >= REPLY_BYTES_MAX) done();
  });
  response.on("end", () => {
    whole = true;
    done();
  });
  return () => ({
    type: "answered",
    status: response.statusCode ?? 0,
    reply: Buffer.concat(chunks).toString("utf8"),
    cut: !whole,
    retryAfter: response.headers["retry-after"],
    location: response.headers.location,
  });
}
