/**
 * Events as PagerDuty's Events API v2 takes them
 * (developer.pagerduty.com: "Send an Alert Event", "Send a Change Event").
 */
import type { Notification, NotificationSubject } from "../../../core/notification.ts";
import { shorten } from "../shorten.ts";
import { wordsOf } from "../words.ts";

/** `payload.summary`, as documented. */
export const SUMMARY_CHARS_MAX: number = 1024;
/** Keeps an event far below the 512 KB that PagerDuty takes: a character is six bytes at most in JSON. */
export const TEXT_CHARS_MAX: number = 16_384;
export const EVIDENCE_MAX: number = 50;

/** Keys of global rulesets begin so; they take no change events. */
const RULESET_KEY: RegExp = /^R/;

export interface PagerdutyEvent {
  /** Below the base URL. */
  readonly path: "v2/enqueue" | "v2/change/enqueue";
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * One alert an incident, triggered and resolved under the incident's id. A note is no problem, so it
 * becomes a change event, which shows beside the alerts and pages nobody; a test pages, since that is
 * what it tests. Empty where a note cannot be told.
 */
export function eventsOf(notification: Notification, routingKey: string): PagerdutyEvent[] {
  switch (notification.state) {
    case "open":
      return notification.subjects.map((subject) => alert("trigger", notification, routingKey, subject));
    case "resolved":
      return notification.subjects.map((subject) => alert("resolve", notification, routingKey, subject));
    case "note":
      if (notification.kind === "test") return [alert("trigger", notification, routingKey)];
      return RULESET_KEY.test(routingKey) ? [] : [change(notification, routingKey)];
  }
}

/** Without a subject: a test, which is about nobody. */
function alert(
  action: "trigger" | "resolve",
  notification: Notification,
  routingKey: string,
  subject?: NotificationSubject,
): PagerdutyEvent {
  return {
    path: "v2/enqueue",
    body: {
      routing_key: routingKey,
      event_action: action,
      dedup_key: subject?.incident ?? notification.id,
      client: "Balefire",
      payload: {
        summary: summaryOf(notification, subject),
        source: subject?.name ?? notification.viewpoint.node,
        // Balefire's three severities are among PagerDuty's four.
        severity: (subject ?? notification).severity,
        timestamp: subject?.since ?? notification.since,
        class: (subject ?? notification).kind,
        custom_details: detailsOf(notification, subject),
      },
    },
  };
}

const change = (notification: Notification, routingKey: string): PagerdutyEvent => ({
  path: "v2/change/enqueue",
  body: {
    routing_key: routingKey,
    payload: {
      summary: summaryOf(notification),
      source: notification.viewpoint.node,
      timestamp: notification.until ?? notification.since,
      custom_details: detailsOf(notification),
    },
  },
});

/** Of several hosts in one message, each alert names its own first. */
function summaryOf(notification: Notification, subject?: NotificationSubject): string {
  const { title } = wordsOf(notification);
  const alone = subject === undefined || notification.subjects.length === 1;
  return shorten(alone ? title : `${subject.name}: ${title}`, SUMMARY_CHARS_MAX);
}

function detailsOf(
  notification: Notification,
  subject?: NotificationSubject,
): Readonly<Record<string, unknown>> {
  const { viewpoint, evidence } = notification;
  const { kind, verdict } = subject ?? notification;
  const own = subject === undefined ? evidence : evidence.filter((seen) => seen.subject === subject.name);
  return {
    text: shorten(wordsOf(notification).text, TEXT_CHARS_MAX),
    kind,
    verdict,
    seen_by: viewpoint.node,
    hosts_alive: `${viewpoint.alive} of ${viewpoint.of}`,
    evidence: own.slice(0, EVIDENCE_MAX),
  };
}
