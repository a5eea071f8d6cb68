/** Fills the placeholders of a channel's template; also proves at the border that a template can be filled. */
import type { Notification } from "../core/notification.ts";

export const TEMPLATE_FIELDS = [
  "title",
  "text",
  "kind",
  "state",
  "severity",
  "verdict",
  "id",
  "subjects",
  "since",
  "until",
  "json",
] as const;
export type TemplateField = (typeof TEMPLATE_FIELDS)[number];
export type TemplateValues = Readonly<Record<TemplateField, string>>;

const PLACEHOLDER: RegExp = /\{\{\s*([^{}]*?)\s*\}\}/g;

const isField = (name: string): name is TemplateField =>
  (TEMPLATE_FIELDS as readonly string[]).includes(name);

/** `application/json`, `application/ld+json`, with or without parameters. */
export const isJsonType = (contentType: string): boolean => /[/+]json\b/i.test(contentType);

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** How a value stands inside a body of this type, so that no text can break out of its place. */
function escapeFor(contentType: string): (value: string) => string {
  // Inside a JSON string: the quotes are the template's.
  if (isJsonType(contentType)) return (value) => JSON.stringify(value).slice(1, -1);
  if (/x-www-form-urlencoded/i.test(contentType)) return encodeURIComponent;
  if (/[/+](html|xml)\b/i.test(contentType)) {
    return (value) => value.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
  }
  return (value) => value;
}

/** A name that is no field is left as it stands; `templateProblem` refuses such templates before. */
export function fillTemplate(template: string, contentType: string, values: TemplateValues): string {
  const escaped = escapeFor(contentType);
  const raw = isJsonType(contentType);
  return template.replace(PLACEHOLDER, (whole: string, name: string) => {
    if (!isField(name)) return whole;
    return name === "json" && raw ? values.json : escaped(values[name]);
  });
}

export function templateValues(notification: Notification): TemplateValues {
  return {
    title: notification.title,
    text: notification.text,
    kind: notification.kind,
    state: notification.state,
    severity: notification.severity,
    verdict: notification.verdict,
    id: notification.id,
    subjects: notification.subjects.map((subject) => subject.name).join(", "),
    since: notification.since,
    until: notification.until ?? "",
    json: JSON.stringify(notification),
  };
}

/** A channel's own words for a message. */
export interface Wording {
  readonly title?: string | undefined;
  readonly text?: string | undefined;
}

/**
 * The notification in a channel's own words. The title stays one line; a template that comes out
 * empty, such as `{{until}}` while it lasts, leaves what was there.
 */
export function reworded(notification: Notification, wording: Wording): Notification {
  if (wording.title === undefined && wording.text === undefined) return notification;
  const values = templateValues(notification);
  const filled = (template: string): string => fillTemplate(template, "text/plain", values).trim();
  const title = wording.title === undefined ? "" : filled(wording.title).replace(/\s+/g, " ");
  const text = wording.text === undefined ? "" : filled(wording.text);
  return { ...notification, title: title || notification.title, text: text || notification.text };
}

const SAMPLE: TemplateValues = {
  title: 'a "title"',
  text: "line\nline",
  kind: "down",
  state: "open",
  severity: "critical",
  verdict: "host-down",
  id: "0".repeat(32),
  subjects: "pve1, pve2",
  since: "2026-01-01T00:00:00.000Z",
  until: "2026-01-01T00:05:00.000Z",
  json: '{"schema":1}',
};

/** What is wrong with a template, in a sentence that goes on after its key; undefined if nothing. */
export function templateProblem(template: string, contentType: string): string | undefined {
  for (const [, name] of template.matchAll(PLACEHOLDER)) {
    if (name !== undefined && isField(name)) continue;
    return `has the unknown placeholder {{${(name ?? "").slice(0, 30)}}}; known are ${TEMPLATE_FIELDS.join(", ")}`;
  }
  if (!isJsonType(contentType)) return undefined;
  try {
    JSON.parse(fillTemplate(template, contentType, SAMPLE));
    return undefined;
  } catch {
    return "does not give valid JSON; quote the placeholders ({{json}} stands without quotes), or set `contentType: text/plain`";
  }
}
