/** Tells a Prometheus Alertmanager, or all members of a cluster, by API v2. */
import type { DeliveryOutcome } from "../../../core/io.ts";
import type { Notification } from "../../../core/notification.ts";
import { type Duration, minutes, type WallTime, wallTime } from "../../../kit/time.ts";
import type { Channel } from "../../../ports/channel.ts";
import {
  ALERTMANAGER_OPEN_FOR,
  ALERTMANAGER_TOKEN,
  type AlertmanagerConfig,
} from "../../../wire/channels/alertmanager.ts";
import { under } from "../address.ts";
import type { Answered } from "../exchange.ts";
import { type Attempt, httpChannel, jsonBody, jsonFields } from "../http-channel.ts";
import type { Reading } from "../judge.ts";
import { anyOf } from "../outcomes.ts";
import { readSecrets } from "../secret-file.ts";
import { shaped } from "../secret-shape.ts";
import type { ChannelSurroundings } from "../surroundings.ts";
import { alertsOf } from "./alerts.ts";

/** Clocks that differ by less do not shorten an alert noticeably. */
export const CLOCK_DIFFERENCE_MAX: Duration = minutes(1);

/** Once a member of the cluster has an alert, the others have this long to take it too. */
const LATECOMERS_MS: number = 1000;

export interface AlertmanagerSurroundings extends ChannelSurroundings {
  /** An alert that is open, and not sent again, ends after this. Default: 5 min. */
  readonly openFor?: Duration;
}

type Secrets = Readonly<{ token?: string }>;

export const createAlertmanager = (config: AlertmanagerConfig, around: AlertmanagerSurroundings): Channel => {
  const openFor = around.openFor ?? ALERTMANAGER_OPEN_FOR;
  return httpChannel({
    config,
    around,
    url: config.urls.find((url) => /^https:/i.test(url)) ?? "http:",
    secrets: shaped(readSecrets(config, { token: 1 }), { token: ALERTMANAGER_TOKEN }),
    send: (notification, attempt) =>
      anyOf(
        config.urls.map((url) => tell(url, notification, openFor, attempt)),
        LATECOMERS_MS,
      ),
  });
};

/**
 * An alert is open until its `endsAt` by Alertmanager's clock. Where that clock is far from this
 * host's, an alert would be over when it arrives, or stay after it is over, while Alertmanager says
 * that all is well: it is then sent again with times of Alertmanager's clock.
 */
async function tell(
  base: string,
  notification: Notification,
  openFor: Duration,
  { request, secrets, wall }: Attempt<Secrets>,
): Promise<DeliveryOutcome> {
  const url = under(base, "api/v2/alerts");
  const authorization = secrets.token === undefined ? {} : { Authorization: `Bearer ${secrets.token}` };
  let theirs: WallTime | undefined;
  const post = (at: WallTime): Promise<DeliveryOutcome> => {
    const { body, headers } = jsonBody(alertsOf(notification, { wall: at, openFor }));
    return request({ url, body, headers: { ...headers, ...authorization } }, (answer) => {
      theirs = clockOf(answer);
      return inWords(answer);
    });
  };
  const end = await post(wall);
  if (end.outcome !== "delivered" || theirs === undefined) return end;
  return Math.abs(theirs - wall) > CLOCK_DIFFERENCE_MAX ? post(theirs) : end;
}

function clockOf({ date }: Answered): WallTime | undefined {
  const at = Date.parse(date ?? "");
  return Number.isNaN(at) ? undefined : wallTime(at);
}

/** A refusal is `{"code": 601, "message": "…"}`, or a JSON string. */
function inWords(answer: Answered): Reading | undefined {
  const { message } = jsonFields(answer);
  return typeof message === "string" ? { said: message } : undefined;
}
