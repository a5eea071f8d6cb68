/** What the receiver was told, read as the documented body of a webhook. */
import type { Notification } from "../../src/core/notification.ts";
import type { Delivery } from "./receiver.ts";

/** The message in a delivery; undefined when the body is no such thing. */
export function messageIn(delivery: Delivery): Notification | undefined {
  const body = delivery.body as Partial<Notification> | null;
  if (typeof body !== "object" || body === null) return undefined;
  return body.schema === 1 && typeof body.id === "string" && Array.isArray(body.subjects)
    ? (body as Notification)
    : undefined;
}

/** Whether a delivery tells of the beginning (or end) of trouble with this node. */
export function tells(delivery: Delivery, state: Notification["state"], name: string): boolean {
  const message = messageIn(delivery);
  return message?.state === state && message.subjects.some((subject) => subject.name === name);
}

export const subjectNames = (message: Notification): readonly string[] =>
  [...new Set(message.subjects.map((subject) => subject.name))].sort();
