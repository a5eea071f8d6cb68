import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Receiver, startReceiver, status } from "../../../../test/contract/channel-receiver.ts";
import { SAMPLE_NOTIFICATION } from "../../../../test/contract/sample-notification.ts";
import type { DeliveryOutcome } from "../../../core/io.ts";
import { wallTime } from "../../../kit/time.ts";
import { createMatrix } from "./matrix.ts";
import { messageOf } from "./message.ts";

const TOKEN = "syt_cGhvbmU_abcdef";

describe("a message to a Matrix room", () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
    receiver.answer(status(200, '{"event_id": "$abc"}'));
  });
  afterEach(() => receiver.close());

  const deliver = (more: object = { token: TOKEN }): Promise<DeliveryOutcome> =>
    createMatrix(
      {
        name: "room",
        type: "matrix",
        url: `http://127.0.0.1:${receiver.port}`,
        room: "!a/b:example.org",
        ...more,
      },
      { wall: () => wallTime(0) },
    ).deliver(SAMPLE_NOTIFICATION, 5000);

  it("has the notification's id as its transaction, so that a repetition is the same event", async () => {
    expect(await deliver()).toEqual({ outcome: "delivered", detail: "HTTP 200: $abc" });
    await deliver();
    const path = `/_matrix/client/v3/rooms/!a%2Fb%3Aexample.org/send/m.room.message/${SAMPLE_NOTIFICATION.id}`;
    expect(receiver.received.map((put) => `${put.method} ${put.path}`)).toEqual([
      `PUT ${path}`,
      `PUT ${path}`,
    ]);
  });

  it("is one that phones ring for, in plain text and as HTML that cannot be broken out of", () => {
    const odd = { ...SAMPLE_NOTIFICATION, title: "a <b> & c", text: "one\n<img src=x>" };
    expect(messageOf(odd)).toEqual({
      msgtype: "m.text",
      body: "a <b> & c\n\none\n<img src=x>",
      format: "org.matrix.custom.html",
      formatted_body: "<strong>a &lt;b&gt; &amp; c</strong><br><br>one<br>&lt;img src=x&gt;",
    });
  });

  it.each(["&", "\n.", '"', "\u0001", "漢", "🔥"])(
    "fits an event with room to spare, made of %j alone",
    (character) => {
      const long = character.repeat(100_000);
      const bytes = Buffer.byteLength(
        JSON.stringify(messageOf({ ...SAMPLE_NOTIFICATION, title: long, text: long })),
      );
      expect(bytes).toBeLessThan(60_000);
    },
  );

  it("waits as long as a server asks that has no Retry-After", async () => {
    const words = { errcode: "M_LIMIT_EXCEEDED", error: "Too Many Requests", retry_after_ms: 1234 };
    receiver.answer(status(429, JSON.stringify(words)));
    expect(await deliver()).toMatchObject({
      outcome: "temporary",
      retryAfterMs: 1234,
      detail: expect.stringContaining("HTTP 429: M_LIMIT_EXCEEDED: Too Many Requests"),
    });
  });

  it("prefers the server's milliseconds to its whole seconds, and takes the header where there is nothing else", async () => {
    receiver.answer(status(429, '{"errcode": "M_LIMIT_EXCEEDED"}', { "retry-after": "4" }));
    expect(await deliver()).toMatchObject({ outcome: "temporary", retryAfterMs: 4000 });
  });

  it.each([
    [401, "M_UNKNOWN_TOKEN"],
    [403, "M_FORBIDDEN"],
    [404, "M_NOT_FOUND"],
    [413, "M_TOO_LARGE"],
  ])("is refused for good with HTTP %i %s", async (code, errcode) => {
    receiver.answer(status(code, JSON.stringify({ errcode, error: `not with ${TOKEN}` })));
    const { outcome, detail } = await deliver();
    expect(outcome).toBe("permanent");
    expect(detail).toContain(`${errcode}: not with ***`);
  });

  it("carries a token from a file, and none that a header cannot hold", async () => {
    const folder = mkdtempSync(join(tmpdir(), "balefire-matrix-"));
    const written = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    await deliver({ tokenFile: written("good", `${TOKEN}\n`) });
    expect(receiver.received[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    const bad = await deliver({ tokenFile: written("bad", "s3cret\nline-two") });
    expect(bad).toMatchObject({ outcome: "permanent", detail: expect.not.stringContaining("s3cret") });
    expect(receiver.received).toHaveLength(1);
    rmSync(folder, { recursive: true });
  });
});
