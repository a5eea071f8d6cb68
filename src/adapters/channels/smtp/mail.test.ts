import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readMail } from "../../../../test/contract/mail-reader.ts";
import { LONG_NOTIFICATION, SAMPLE_NOTIFICATION } from "../../../../test/contract/sample-notification.ts";
import { startSmtpReceiver } from "../../../../test/contract/smtp-receiver.ts";
import type { Notification } from "../../../core/notification.ts";
import { wallTime } from "../../../kit/time.ts";
import { channelConfig, channelSecrets, describeChannel } from "../../../wire/channel-config.ts";
import { SMTP_RECIPIENTS_MAX } from "../../../wire/channels/smtp.ts";
import { MAIL_REFERENCES_MAX, mailOf } from "./mail.ts";
import { type Library, loadLibrary, type Submission, submit } from "./session.ts";

const FROM = "balefire@example.test";
const WALL = wallTime(Date.parse("2026-03-01T02:13:01.900Z"));
const written = (changed: Partial<Notification> = {}) =>
  mailOf({ ...SAMPLE_NOTIFICATION, ...changed }, FROM, WALL);

/** As a server gets it. */
async function raw(changed: Partial<Notification> = {}): Promise<string> {
  const receiver = await startSmtpReceiver();
  const end = await submit(loadLibrary(), {
    host: "127.0.0.1",
    port: receiver.port,
    security: "none",
    trust: undefined,
    login: undefined,
    from: FROM,
    to: ["one@example.test", "two@example.test"],
    mail: written(changed),
    totalMs: 5000,
  });
  await receiver.close();
  expect(end.type).toBe("accepted");
  return receiver.received[0]?.raw ?? "";
}

describe("a mail", () => {
  it("says who, what and when in its headers, and that no person wrote it", async () => {
    const { headers, parts } = readMail(await raw());
    expect(headers).toMatchObject({
      from: `Balefire <${FROM}>`,
      to: "one@example.test, two@example.test",
      subject: SAMPLE_NOTIFICATION.title,
      date: "Sun, 01 Mar 2026 02:13:01 +0000",
      "message-id": `<${SAMPLE_NOTIFICATION.id}@example.test>`,
      "auto-submitted": "auto-generated",
      "x-priority": "1 (Highest)",
      importance: "high",
      "mime-version": "1.0",
    });
    expect(Object.keys(headers)).not.toEqual(
      expect.arrayContaining(["x-mailer", "references", "in-reply-to"]),
    );
    expect(Object.keys(parts)).toEqual(["text/plain", "text/html"]);
  });

  it("stands below what was told of the same incident before", async () => {
    const { headers } = readMail(await raw({ follows: ["a1", "b2"], state: "resolved" }));
    expect(headers.references).toBe("<a1@example.test> <b2@example.test>");
    expect(headers["in-reply-to"]).toBe("<b2@example.test>");
  });

  it("names the first and the latest where much was told before", () => {
    const follows = Array.from({ length: 100 }, (_, index) => `m${index}`);
    const { references } = written({ follows });
    expect(references).toHaveLength(MAIL_REFERENCES_MAX);
    expect(references[0]).toBe("<m0@example.test>");
    expect(references.at(-1)).toBe("<m99@example.test>");
  });

  it.each([
    [{ state: "open", severity: "critical" }, "1 (Highest)"],
    [{ state: "open", severity: "warning" }, "2 (High)"],
    [{ state: "resolved", severity: "critical" }, "3 (Normal)"],
    [{ state: "note", severity: "info" }, "5 (Lowest)"],
  ] as const)("is as urgent as the message: %j", (changed, priority) => {
    expect(written(changed).headers["X-Priority"]).toBe(priority);
  });

  it("tells the same in text and in HTML, in which nothing is taken for markup", async () => {
    const title = 'pve<b>2</b> & "co" is down';
    const text = '<script>alert("x")</script>\n.\n..a line\n\u202eÜber 🔥';
    const { parts } = readMail(await raw({ title, text }));
    expect(parts["text/plain"]).toContain(`${title}\n\n<script>alert("x")</script>\n.\n..a line\nÜber 🔥\n`);
    const html = parts["text/html"] ?? "";
    expect(html).toContain('pve&lt;b&gt;2&lt;/b&gt; &amp; "co" is down</h1>');
    expect(html).toContain('&lt;script&gt;alert("x")&lt;/script&gt;<br>\n.<br>\n..a line<br>\nÜber 🔥</p>');
    expect(html).not.toMatch(/<script|<b>|src=|href=/);
  });

  it("leaves the colours of text and background to the reader's night and day", () => {
    const { html } = written();
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    expect(html).not.toMatch(/background|[^-]color\s*:/);
  });

  it("keeps a title in its header, whatever it holds", async () => {
    const { headers } = readMail(await raw({ title: "down\r\nBcc: someone@else.test\r\n\r\n🔥" }));
    expect(headers.subject).toBe("down Bcc: someone@else.test 🔥");
    expect(headers.bcc).toBeUndefined();
  });

  it.each([
    ["long", LONG_NOTIFICATION.text],
    ["made of escapes", '<&">='.repeat(5000)],
    ["of many bytes a character", "漢字🔥".repeat(5000)],
  ])("is never larger than every server has to take: a text %s", async (_, text) => {
    const { title } = LONG_NOTIFICATION;
    const mail = await raw({ title, text, follows: Array(100).fill("f".repeat(32)) });
    expect(mail.length).toBeLessThan(65_536);
    // RFC 5322, section 2.1.1.
    for (const line of mail.split("\r\n")) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998);
  });
});

describe("nodemailer", () => {
  it("is not loaded where no channel sends mail", () => {
    const registry = new URL("../registry.ts", import.meta.url).href;
    const script = `
      import { registerHooks } from "node:module";
      const loaded = [];
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
      const { createChannel } = await import(${JSON.stringify(registry)});
      const around = { wall: () => 0 };
      createChannel({ name: "a", type: "webhook", url: "http://127.0.0.1/" }, around);
      const mailers = () => loaded.filter((url) => url.includes("nodemailer")).length;
      const before = mailers();
      createChannel({ name: "b", type: "smtp", host: "::1", security: "none", from: "a@b", to: ["a@b"] }, around);
      while (mailers() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      console.log(JSON.stringify({ before }));`;
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: fileURLToPath(new URL("../../../..", import.meta.url)),
      encoding: "utf8",
      timeout: 10_000,
    });
    expect({ stderr: run.stderr, ...JSON.parse(run.stdout || "{}") }).toEqual({ stderr: "", before: 0 });
  });
});

describe("a mail whose program cannot be loaded", () => {
  const what: Submission = {
    host: "127.0.0.1",
    port: 1,
    security: "none",
    trust: undefined,
    login: undefined,
    from: FROM,
    to: [FROM],
    mail: written(),
    totalMs: 50,
  };

  it("is given up in time", async () => {
    const never = new Promise<Library>(() => undefined);
    expect(await submit(never, what)).toEqual({ type: "timed-out", waitingFor: "connection", afterMs: 50 });
  });

  it("has failed", async () => {
    const error = Object.assign(new Error("no such file"), { code: "ERR_MODULE_NOT_FOUND" });
    expect(await submit(Promise.reject(error), what)).toEqual({ type: "failed", error });
  });
});

describe("the settings of smtp", () => {
  const MINIMAL = {
    name: "mail",
    type: "smtp",
    host: "mx.example",
    from: FROM,
    to: ["admin@example.test"],
  } as const;

  it.each([
    [{ host: "mx example" }, "host", /name or IP address/],
    [{ port: 0 }, "port", /./],
    [{ port: 65_536 }, "port", /./],
    [{ security: "ssl" }, "security", /./],
    [{ from: "Balefire <balefire@example.test>" }, "from", /without a display name/],
    [{ from: "balefire" }, "from", /mail address/],
    [{ to: [] }, "to", /./],
    [{ to: ["a@b\r\nBcc: c@d"] }, "to.0", /mail address/],
    [{ to: Array(SMTP_RECIPIENTS_MAX + 1).fill("a@b.test") }, "to", /./],
    [{ user: "me" }, "password", /missing/],
    [{ password: "secret" }, "password", /needs a `user`/],
    [{ user: "me", password: "secret", passwordFile: "/p" }, "passwordFile", /together/],
    [{ user: "me", password: "secret", security: "none" }, "security", /readable for everyone/],
  ])("are refused with the key and the fix: %j", (settings, path, message) => {
    const [issue] = channelConfig.safeParse({ ...MINIMAL, ...settings }).error?.issues ?? [];
    expect(issue?.path.join(".")).toBe(path);
    expect(issue?.message).toMatch(message);
  });

  it.each([
    [{}, "mx.example:587"],
    [{ security: "tls" }, "mx.example:465"],
    [{ security: "none" }, "mx.example:25"],
    [{ security: "none", port: 2525 }, "mx.example:2525"],
  ])("have the port that belongs to the security: %j", (settings, expected) => {
    const config = channelConfig.parse({ ...MINIMAL, ...settings });
    expect(describeChannel(config)).toBe(`mail (smtp, ${expected})`);
  });

  it("keep user and password secret, also as they are sent", () => {
    const config = channelConfig.parse({ ...MINIMAL, user: "someone", password: "pass-word" });
    expect(channelSecrets(config)).toEqual(
      expect.arrayContaining(["someone", "pass-word", "\0someone\0pass-word"]),
    );
  });
});
