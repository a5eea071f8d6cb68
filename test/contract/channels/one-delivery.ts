/** One message through a channel to a receiver that answers as it is told, for what one service does alone. */
import { createChannel } from "../../../src/adapters/channels/registry.ts";
import type { DeliveryOutcome } from "../../../src/core/io.ts";
import type { Notification } from "../../../src/core/notification.ts";
import { wallTime } from "../../../src/kit/time.ts";
import { channelConfig, type ToldConfig } from "../../../src/wire/channel-config.ts";
import { type Answer, type Received, startReceiver, status } from "../channel-receiver.ts";
import { SAMPLE_NOTIFICATION } from "../sample-notification.ts";

export interface Delivered {
  readonly result: DeliveryOutcome;
  readonly received: readonly Received[];
  /** Of the first request, where it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of any shape
  readonly body: any;
}

/** `settings` are given the receiver's address, without a slash at its end. */
export async function deliverOnce(
  settings: (address: string) => Readonly<Record<string, unknown>>,
  notification: Partial<Notification> = {},
  answer: Answer = status(200, "ok"),
): Promise<Delivered> {
  const receiver = await startReceiver();
  try {
    receiver.answer(answer);
    const config = channelConfig.parse({
      name: "phone",
      ...settings(`http://127.0.0.1:${receiver.port}`),
    }) as ToldConfig;
    const channel = createChannel(config, { wall: () => wallTime(Date.parse("2026-03-01T02:13:02Z")) });
    const result = await channel.deliver({ ...SAMPLE_NOTIFICATION, ...notification }, 5000);
    const [first] = receiver.received;
    return {
      result,
      received: receiver.received,
      body: first === undefined ? undefined : JSON.parse(first.body),
    };
  } finally {
    await receiver.close();
  }
}

/** One message of each urgency. */
export const URGENCIES: Readonly<Record<string, Partial<Notification>>> = {
  alarm: { state: "open", severity: "critical", kind: "down" },
  warning: { state: "open", severity: "warning", kind: "daemon-down" },
  recovery: { state: "resolved", severity: "critical", kind: "down" },
  "a grave note": { state: "note", severity: "warning", kind: "restarted" },
  note: { state: "note", severity: "info", kind: "cut-off" },
  test: { state: "note", severity: "info", kind: "test" },
};

/** A name or detail that tries what chats give a meaning. */
export const HOSTILE: string =
  "<!channel> <@U024BE7LH> @everyone @channel [click](http://evil.test) *b* _i_ ~s~ `c` ||x|| <http://evil.test|here> &amp;";

/** What `channelConfig` says is wrong: the settings' key and the sentence. */
export function refusalOf(settings: Readonly<Record<string, unknown>>): { path: string; message: string } {
  const parsed = channelConfig.safeParse({ name: "phone", ...settings });
  if (parsed.success) throw new Error("it was not refused");
  const [first] = parsed.error.issues;
  return { path: first?.path.join(".") ?? "", message: first?.message ?? "" };
}
