/** How loud a message is and how it looks; each service has a scale of its own for it. */
import type { Notification } from "../../core/notification.ts";

/**
 * - `alarm`: something critical has begun; may wake a person.
 * - `warning`: something is wrong, and can wait for a moment.
 * - `recovery`: what was wrong is over.
 * - `note`: good to know, no reason to ring.
 * - `test`: an operator's test message, which should ring, or it proves too little.
 */
export type Urgency = "alarm" | "warning" | "recovery" | "note" | "test";

export function urgencyOf({ kind, state, severity }: Notification): Urgency {
  if (kind === "test") return "test";
  if (state === "resolved") return "recovery";
  if (severity === "critical") return "alarm";
  return severity === "warning" ? "warning" : "note";
}

/** For the edge of a message in a chat: 0xRRGGBB, told apart on a light and on a dark background. */
export const COLOURS: Readonly<Record<Urgency, number>> = {
  alarm: 0xd92d20,
  warning: 0xf79009,
  recovery: 0x12a150,
  note: 0x667085,
  test: 0x2e90fa,
};

export const hexColour = (urgency: Urgency): string => `#${COLOURS[urgency].toString(16).padStart(6, "0")}`;
