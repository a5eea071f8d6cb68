/** A notification as the content of an `m.room.message` event (Matrix specification, client-server API). */
import type { Notification } from "../../../core/notification.ts";
import { shorten } from "../shorten.ts";
import { escapeEntities, wordsOf } from "../words.ts";

/**
 * An event takes 65,536 bytes with all that the servers add. The text is in it twice, as plain text
 * and as HTML, where an ampersand is five bytes: in the worst case 42,000 in all.
 */
export const TITLE_BYTES_MAX: number = 1000;
export const TEXT_BYTES_MAX: number = 6000;

export interface MatrixMessage {
  /** Not `m.notice`, which is meant for automata: by the default push rules a phone stays silent for it. */
  readonly msgtype: "m.text";
  readonly body: string;
  readonly format: "org.matrix.custom.html";
  readonly formatted_body: string;
}

export function messageOf(notification: Notification): MatrixMessage {
  const words = wordsOf(notification);
  const title = shorten(words.title, TITLE_BYTES_MAX, "bytes");
  const text = shorten(words.text, TEXT_BYTES_MAX, "bytes");
  return {
    msgtype: "m.text",
    body: `${title}\n\n${text}`,
    format: "org.matrix.custom.html",
    formatted_body: `<strong>${escapeEntities(title)}</strong><br><br>${escapeEntities(text).replaceAll("\n", "<br>")}`,
  };
}
