/**
 * What all channels that speak HTTP share: secrets read once, the time of an attempt kept, the
 * answer judged, and nothing secret in what is told of it. A channel adds what it sends, and how
 * its service's answers read where the status alone does not say it.
 */
import type { SecureContext } from "node:tls";
import type { DeliveryOutcome } from "../../core/io.ts";
import type { Notification } from "../../core/notification.ts";
import type { Result } from "../../kit/result.ts";
import type { WallTime } from "../../kit/time.ts";
import type { Channel } from "../../ports/channel.ts";
import { type ChannelConfig, channelSecrets } from "../../wire/channel-config.ts";
import { timeoutOf } from "../../wire/channels/common.ts";
import { hideSecrets, type Scrubber, scrubberFor } from "./detail.ts";
import { type Answered, type Ask, exchange } from "./exchange.ts";
import { judge, type ReadAnswer } from "./judge.ts";
import type { ChannelSurroundings } from "./surroundings.ts";
import { HOST_ROOTS_FILE, hostTrust } from "./trust-store.ts";

export const USER_AGENT: string = "Balefire";

export interface HttpRequest {
  /** Default: POST. */
  readonly method?: Ask["method"];
  /** Absolute; user and password in it are sent as HTTP Basic. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** One attempt at one message. */
export interface Attempt<S> {
  readonly secrets: S;
  readonly wall: WallTime;
  /**
   * Sends a request and judges its end; never rejects. Several in one attempt share its time, and
   * what the last of them means is what the channel returns.
   */
  request(request: HttpRequest, read?: ReadAnswer): Promise<DeliveryOutcome>;
}

export interface HttpServiceOptions<S> {
  readonly config: ChannelConfig;
  readonly around: ChannelSurroundings;
  /** From `readSecrets`; a failure is the answer to every attempt. */
  readonly secrets: Result<S>;
  /** Where it sends to, if that may be plain http: then no certificate authorities are loaded. */
  readonly url?: string;
}

export interface HttpChannelOptions<S> extends HttpServiceOptions<S> {
  readonly send: (notification: Notification, attempt: Attempt<S>) => Promise<DeliveryOutcome>;
}

type Secrets = Readonly<Partial<Record<string, string>>>;

export function httpChannel<S extends Secrets>(options: HttpChannelOptions<S>): Channel {
  const { config, send } = options;
  const attempt = httpService(options);
  return {
    name: config.name,
    type: config.type,
    deliver: (notification, timeoutMs) => attempt((own) => send(notification, own), timeoutMs),
  };
}

/** Never rejects; ends within `timeoutMs`. */
type MakeAttempt<S> = (
  send: (attempt: Attempt<S>) => Promise<DeliveryOutcome>,
  timeoutMs: number,
) => Promise<DeliveryOutcome>;

/** The same for what is not told of incidents. */
export function httpService<S extends Secrets>(options: HttpServiceOptions<S>): MakeAttempt<S> {
  const { config, around, secrets, url } = options;
  const read = secrets.ok ? Object.values(secrets.value).filter((secret) => secret !== undefined) : [];
  const scrubber = scrubberFor([...channelSecrets(config), ...read]);
  // Read here, not while a message waits.
  const secure = url === undefined || /^https:/i.test(url);
  const trust = secure ? hostTrust(around.rootsFile ?? HOST_ROOTS_FILE) : undefined;

  return async (send, timeoutMs) => {
    if (!secrets.ok) return hideSecrets({ outcome: "permanent", detail: secrets.error.message }, scrubber);
    const until = performance.now() + Math.min(timeoutMs, timeoutOf(config));
    const request = (what: HttpRequest, reading?: ReadAnswer): Promise<DeliveryOutcome> =>
      requestOnce(what, { trust, scrubber, until, wall: around.wall() }, reading);
    return hideSecrets(await send({ secrets: secrets.value, wall: around.wall(), request }), scrubber);
  };
}

interface Exchanging {
  readonly trust: SecureContext | undefined;
  readonly scrubber: Scrubber;
  /** When the attempt's time is over, as `performance.now()` counts. */
  readonly until: number;
  readonly wall: WallTime;
}

async function requestOnce(
  what: HttpRequest,
  { trust, scrubber, until, wall }: Exchanging,
  read?: ReadAnswer,
): Promise<DeliveryOutcome> {
  const url = URL.parse(what.url);
  if (url === null) return { outcome: "permanent", detail: "the URL names no valid host" };
  const end = await exchange({
    method: what.method ?? "POST",
    url,
    body: typeof what.body === "string" ? Buffer.from(what.body) : what.body,
    headers: { "User-Agent": USER_AGENT, Accept: "*/*", ...what.headers },
    trust: url.protocol === "https:" ? trust : undefined,
    totalMs: Math.max(1, Math.ceil(until - performance.now())),
  });
  return judge(end, { origin: url.origin, wall, scrubber }, read);
}

/** Body and header of a request that carries JSON. */
export const jsonBody = (value: unknown): { body: string; headers: { "Content-Type": string } } => ({
  body: JSON.stringify(value),
  headers: { "Content-Type": "application/json" },
});

/** The answer's fields where it is a JSON object; empty where it is anything else, or was cut. */
export function jsonFields(answer: Answered): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(answer.reply);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
