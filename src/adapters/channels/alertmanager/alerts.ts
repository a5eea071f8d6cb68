/**
 * Alerts as Alertmanager's API v2 takes them (`postableAlerts` in its api/v2/openapi.yaml). An alert
 * is its labels: whatever changes between opening and resolving must be an annotation.
 */
import type { IncidentKind } from "../../../core/ledger-records.ts";
import type { Notification, NotificationSubject } from "../../../core/notification.ts";
import { type Duration, isoTime, type WallTime } from "../../../kit/time.ts";
import { shorten } from "../shorten.ts";
import { wordsOf } from "../words.ts";

/** Alertmanager has no limit of its own; what it passes an alert on to has. */
export const SUMMARY_CHARS_MAX: number = 1024;
export const DESCRIPTION_CHARS_MAX: number = 16_384;

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** What rules and routes in Alertmanager go by. */
const NAMES: Readonly<Record<IncidentKind, string>> = {
  down: "BalefireHostDown",
  "daemon-down": "BalefireDaemonDown",
  missing: "BalefireHostMissing",
  "link-problem": "BalefireLinkProblem",
  flapping: "BalefireFlapping",
  heat: "BalefireHeat",
  certificate: "BalefireCertificate",
  clock: "BalefireClock",
  revoked: "BalefireRevoked",
  restarted: "BalefireHostRestarted",
  "cut-off": "BalefireCutOff",
  planned: "BalefirePlanned",
  test: "BalefireTest",
};

export interface Now {
  /** By Alertmanager's clock where that is known. */
  readonly wall: WallTime;
  /** An alert that is open, and not sent again, ends after this. */
  readonly openFor: Duration;
}

/** One alert an incident; a test, which is about nobody, is one of the node that sends it. */
export function alertsOf(notification: Notification, now: Now): Alert[] {
  const { subjects } = notification;
  return subjects.length === 0
    ? [alertOf(notification, undefined, now)]
    : subjects.map((subject) => alertOf(notification, subject, now));
}

function alertOf(notification: Notification, subject: NotificationSubject | undefined, now: Now): Alert {
  const { title, text } = wordsOf(notification);
  const { viewpoint } = notification;
  // The incident's own: a message may tell of others too, which its recovery does not.
  const { kind, severity } = subject ?? notification;
  const endsAt = endOf(notification, now);
  return {
    labels: {
      alertname: NAMES[kind],
      kind,
      severity,
      node: subject?.name ?? viewpoint.node,
      incident: subject?.incident ?? notification.id,
      service: "balefire",
    },
    annotations: {
      summary: shorten(title, SUMMARY_CHARS_MAX),
      description: shorten(text, DESCRIPTION_CHARS_MAX),
      verdict: subject?.verdict ?? notification.verdict,
      seen_by: viewpoint.node,
    },
    // Refused is an alert that ends before it starts, as one may when clocks disagree.
    startsAt: earliest(subject?.since ?? notification.since, isoTime(now.wall), endsAt),
    endsAt,
  };
}

/**
 * What is open, and a note too, ends by itself unless it is sent again: if all who could send are
 * gone, the alert is stale, and the heartbeat from outside is what then speaks.
 */
function endOf({ state, until }: Notification, { wall, openFor }: Now): string {
  if (state !== "resolved") return isoTime((wall + openFor) as WallTime);
  return until === undefined ? isoTime(wall) : earliest(until, isoTime(wall));
}

/** ISO 8601 in UTC sorts as it is written. */
const earliest = (...times: readonly [string, ...string[]]): string => times.toSorted()[0] ?? times[0];
