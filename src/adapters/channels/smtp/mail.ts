/**
 * A notification as a mail. Message-ID and References hold ids of messages, so that every retry is
 * the same mail and a recovery stands under its "down".
 */
import type { Notification } from "../../../core/notification.ts";
import { isoTime, type WallTime } from "../../../kit/time.ts";
import { shorten } from "../shorten.ts";
import { hexColour, type Urgency, urgencyOf } from "../urgency.ts";
import { escapeEntities, wordsOf } from "../words.ts";

export const MAIL_TITLE_CHARS_MAX: number = 250;
/**
 * Of UTF-8. Quoted-printable and HTML make at most six of one, so that the mail stays below the 64 KiB
 * that every server has to take (RFC 5321, section 4.5.3.1.7).
 */
export const MAIL_TEXT_BYTES_MAX: number = 8192;
/** The first and the latest of an incident's messages: what a reader needs to find the thread. */
export const MAIL_REFERENCES_MAX: number = 20;

export interface Mail {
  readonly messageId: string;
  readonly references: readonly string[];
  readonly subject: string;
  readonly date: WallTime;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly html: string;
}

export function mailOf(notification: Notification, from: string, wall: WallTime): Mail {
  const { title, text } = wordsOf(notification);
  const domain = from.slice(from.lastIndexOf("@") + 1);
  const idOf = (message: string): string => `<${message}@${domain}>`;
  const subject = shorten(title, MAIL_TITLE_CHARS_MAX);
  const body = shorten(text, MAIL_TEXT_BYTES_MAX, "bytes");
  const { node, alive, of } = notification.viewpoint;
  const signature = `Balefire on ${node}, which counts ${alive} of ${of} nodes as alive`;
  const urgency = urgencyOf(notification);
  return {
    messageId: idOf(notification.id),
    references: ends(notification.follows).map(idOf),
    subject,
    date: wall,
    headers: {
      // RFC 3834, section 5: no vacation notice answers this.
      "Auto-Submitted": "auto-generated",
      ...PRIORITIES[urgency],
    },
    text: `${subject}\n\n${body}\n\n-- \n${signature}\n`,
    html: htmlOf(subject, body, signature, urgency),
  };
}

function ends(messages: readonly string[]): readonly string[] {
  if (messages.length <= MAIL_REFERENCES_MAX) return messages;
  return [...messages.slice(0, 1), ...messages.slice(1 - MAIL_REFERENCES_MAX)];
}

const HIGH: Readonly<Record<string, string>> = { "X-Priority": "1 (Highest)", Importance: "high" };
const NORMAL: Readonly<Record<string, string>> = { "X-Priority": "3 (Normal)", Importance: "normal" };
/** As mail programs show them; `Importance` is RFC 2156's, X-Priority the one that most look at. */
const PRIORITIES: Readonly<Record<Urgency, Readonly<Record<string, string>>>> = {
  alarm: HIGH,
  warning: { "X-Priority": "2 (High)", Importance: "high" },
  recovery: NORMAL,
  test: NORMAL,
  note: { "X-Priority": "5 (Lowest)", Importance: "low" },
};

/** Text and background have no colours of their own, so that they follow the reader's, by day and by night. */
function htmlOf(title: string, text: string, signature: string, urgency: Urgency): string {
  const lines = escapeEntities(text).replaceAll("\n", "<br>\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeEntities(title)}</title>
</head>
<body style="font-family:sans-serif;line-height:1.4">
<div style="border-left:4px solid ${hexColour(urgency)};padding-left:12px">
<h1 style="font-size:18px;margin:0 0 12px">${escapeEntities(title)}</h1>
<p style="margin:0">${lines}</p>
</div>
<p style="font-size:13px;opacity:0.7;margin-top:20px">${escapeEntities(signature)}</p>
</body>
</html>
`;
}

/** RFC 5322's date, always in UTC. */
export const mailDate = (wall: WallTime): string =>
  new Date(isoTime(wall)).toUTCString().replace("GMT", "+0000");
