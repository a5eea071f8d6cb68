/** Pings a dead-man's heartbeat as healthchecks.io takes it: `URL` while someone watches, `URL/fail` for an alarm. */
import type { DeliveryOutcome } from "../../../core/io.ts";
import { ok } from "../../../kit/result.ts";
import type { Heartbeat } from "../../../ports/heartbeat.ts";
import { type DeadmanConfig, deadmanEveryOf } from "../../../wire/channels/deadman.ts";
import { under } from "../address.ts";
import type { Answered } from "../exchange.ts";
import { type HttpRequest, httpService } from "../http-channel.ts";
import type { Reading } from "../judge.ts";
import { shorten } from "../shorten.ts";
import type { ChannelSurroundings } from "../surroundings.ts";

/** A line for the service's log, which keeps 10 kB. */
export const WHY_CHARS_MAX: number = 200;

const METHOD_NOT_ALLOWED = 405;

export function createDeadman(config: DeadmanConfig, around: ChannelSurroundings): Heartbeat {
  const attempt = httpService({ config, around, url: config.url, secrets: ok({}) });
  return {
    name: config.name,
    everyMs: deadmanEveryOf(config),
    ping: (state, why, timeoutMs) =>
      attempt(async ({ request }) => {
        let refusesPosts = false;
        const send = (ping: HttpRequest): Promise<DeliveryOutcome> =>
          request(ping, (answer) => {
            refusesPosts = answer.status === METHOD_NOT_ALLOWED;
            return inWords(answer);
          });
        const url = state === "fail" ? under(config.url, "fail") : config.url;
        const headers = { "Content-Type": "text/plain; charset=utf-8" };
        const end = await send({ url, headers, body: shorten(why, WHY_CHARS_MAX) });
        // Some services of this kind take nothing but GET.
        return refusesPosts ? send({ method: "GET", url }) : end;
      }, timeoutMs),
  };
}

/** healthchecks.io answers 200 also where it has thrown the ping away, and says so in the body. */
function inWords({ status, reply }: Answered): Reading | undefined {
  if (status !== 200) return undefined;
  const [, aside] = /^OK \((.+)\)$/.exec(reply.trim()) ?? [];
  if (aside === "not found") return { outcome: "permanent" };
  return aside === "rate limited" ? { outcome: "temporary" } : undefined;
}
