import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Certified } from "../../../../test/contract/channel-receiver.ts";
import { SAMPLE_NOTIFICATION } from "../../../../test/contract/sample-notification.ts";
import { DAY_MS, selfSigned } from "../../../../test/contract/self-signed.ts";
import {
  type SmtpMoment,
  type SmtpReceiver,
  type SmtpReceiverOptions,
  startSmtpReceiver,
} from "../../../../test/contract/smtp-receiver.ts";
import type { DeliveryOutcome } from "../../../core/io.ts";
import { wallTime } from "../../../kit/time.ts";
import type { SmtpConfig } from "../../../wire/channels/smtp.ts";
import { createSmtp } from "./smtp.ts";

const LOGIN = { user: "mail-user", password: "mail-p4ssword" };
const now = Date.now();

describe("smtp", () => {
  let receiver: SmtpReceiver;
  let folder: string;
  let certified: Certified;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "balefire-smtp-"));
    certified = await selfSigned("127.0.0.1", now - DAY_MS, now + DAY_MS);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => receiver.close());

  const start = async (options: SmtpReceiverOptions = {}): Promise<void> => {
    receiver = await startSmtpReceiver(options);
  };
  const deliver = (settings: Partial<SmtpConfig> = {}, timeoutMs = 5000): Promise<DeliveryOutcome> => {
    const rootsFile = join(folder, "roots.pem");
    writeFileSync(rootsFile, certified.cert);
    const config: SmtpConfig = {
      name: "mail",
      type: "smtp",
      host: "127.0.0.1",
      port: receiver.port,
      from: "balefire@example.test",
      to: ["admin@example.test"],
      ...settings,
    };
    return createSmtp(config, { wall: () => wallTime(now), rootsFile }).deliver(
      SAMPLE_NOTIFICATION,
      timeoutMs,
    );
  };
  const server = (): string => `127.0.0.1:${receiver.port}`;
  const verbs = (): string[] => receiver.commands.map((line) => line.split(/[ :]/)[0] ?? "");

  it("goes over to TLS before it logs in and says anything of the mail", async () => {
    await start({ certified, offersLogin: true });
    expect(await deliver(LOGIN)).toEqual({ outcome: "delivered", detail: "250 2.0.0 Ok: queued" });
    expect(verbs().slice(0, 7)).toEqual(["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"]);
    expect(receiver.received[0]).toMatchObject({
      from: "balefire@example.test",
      to: ["admin@example.test"],
      secure: true,
      login: `\0${LOGIN.user}\0${LOGIN.password}`,
    });
  });

  it("sends nothing to a server without STARTTLS, and says which setting to look at", async () => {
    await start({ offersLogin: true });
    expect(await deliver(LOGIN)).toEqual({
      outcome: "temporary",
      detail: `${server()}: the server does not offer STARTTLS (502 5.5.1 no such command); see \`security\``,
    });
    expect(verbs()).toEqual(["EHLO", "STARTTLS"]);
  });

  it("sends nothing when something on the way answers STARTTLS in the server's place", async () => {
    await start({ certified, offersLogin: true });
    receiver.behave({ STARTTLS: () => "220 go ahead\r\n250-injected\r\n250 AUTH PLAIN" });
    expect(await deliver(LOGIN, 300)).toMatchObject({ outcome: "temporary" });
    expect(receiver.received).toEqual([]);
    expect(verbs()).not.toContain("AUTH");
  });

  it("speaks TLS from the first byte with security: tls", async () => {
    await start({ certified, tls: true, offersLogin: true });
    expect(await deliver({ ...LOGIN, security: "tls" })).toMatchObject({ outcome: "delivered" });
    expect(receiver.received[0]?.secure).toBe(true);
    expect(verbs()).not.toContain("STARTTLS");
  });

  it("stays plain with security: none, although the server offers more", async () => {
    await start({ certified });
    expect(await deliver({ security: "none" })).toMatchObject({ outcome: "delivered" });
    expect(receiver.received[0]?.secure).toBe(false);
  });

  it.each([
    [
      "is not trusted here",
      () => selfSigned("127.0.0.1", now - DAY_MS, now + DAY_MS),
      /is not trusted \(self-signed/,
    ],
    ["has expired", () => selfSigned("127.0.0.1", now - 2 * DAY_MS, now - DAY_MS), /has expired$/],
    [
      "is for another host",
      () => selfSigned("127.0.0.9", now - DAY_MS, now + DAY_MS),
      /is for another name$/,
    ],
  ])("sends nothing to a server whose certificate %s", async (why, make, expected) => {
    const made = await make();
    const trusted = certified;
    if (why !== "is not trusted here") certified = made;
    for (const [security, tls] of [
      ["starttls", false],
      ["tls", true],
    ] as const) {
      await start({ certified: made, tls, offersLogin: true });
      const result = await deliver({ ...LOGIN, security });
      expect(result.outcome).toBe("temporary");
      expect(result.detail).toMatch(expected);
      expect(verbs()).not.toContain("AUTH");
      await receiver.close();
    }
    certified = trusted;
  });

  it.each([
    ["greeting", "421 4.3.2 shutting down", "temporary"],
    ["greeting", "554 5.7.1 go away", "permanent"],
    ["AUTH", "535 5.7.8 wrong password", "permanent"],
    ["AUTH", "454 4.7.0 the directory is away", "temporary"],
    ["MAIL", "550 5.7.1 who are you?", "permanent"],
    ["MAIL", "452 4.3.1 disk full", "temporary"],
    ["RCPT", "550 5.1.1 no such user", "permanent"],
    ["RCPT", "450 4.2.0 greylisted", "temporary"],
    ["DATA", "451 4.3.0 later", "temporary"],
    ["DATA", "554 5.5.1 never", "permanent"],
    ["body", "451 4.7.1 later", "temporary"],
    ["body", "503 5.5.1 lost track", "temporary"],
    ["body", "550 5.7.1 spam", "permanent"],
  ] as const)("takes in answer to %s: %s for %s", async (moment: SmtpMoment, reply, outcome) => {
    await start({ certified, offersLogin: true });
    receiver.behave({ [moment]: () => reply });
    expect(await deliver(LOGIN)).toEqual({ outcome, detail: `${server()}: ${reply}` });
  });

  it("counts as delivered where one recipient gets it, and tells of the others", async () => {
    await start();
    receiver.behave({ RCPT: (_, line) => (line.includes("gone@") ? "550 5.1.1 no such user" : "250 Ok") });
    const to = ["gone@example.test", "admin@example.test"];
    expect(await deliver({ security: "none", to })).toEqual({
      outcome: "delivered",
      detail: "250 2.0.0 Ok: queued; refused for 1 of 2: 550 5.1.1 no such user",
    });
  });

  it("does not send a mail to a server that lets nobody log in, although it has a user", async () => {
    await start({ certified });
    expect(await deliver(LOGIN)).toEqual({
      outcome: "permanent",
      detail: `${server()}: the server offers no way to log in; leave out \`user\``,
    });
    expect(verbs()).not.toContain("MAIL");
  });

  it("says that a mail is larger than the server takes", async () => {
    await start({ sizeMax: 500 });
    expect(await deliver({ security: "none" })).toEqual({
      outcome: "permanent",
      detail: `${server()}: the server takes no mail as large as this`,
    });
  });

  it("shows no login, even when the server quotes the command that it refuses", async () => {
    await start({ certified, offersLogin: true });
    receiver.behave({ AUTH: (_, line) => `535 5.7.8 cannot take ${line}` });
    expect((await deliver(LOGIN)).detail).toBe(`${server()}: 535 5.7.8 cannot take AUTH PLAIN ***`);
  });

  it("reads the password from a file, and sends nothing where it cannot", async () => {
    await start({ certified, offersLogin: true });
    const passwordFile = join(folder, "password");
    writeFileSync(passwordFile, `${LOGIN.password}\n`, { mode: 0o600 });
    expect(await deliver({ user: LOGIN.user, passwordFile })).toMatchObject({ outcome: "delivered" });
    expect(receiver.received[0]?.login).toBe(`\0${LOGIN.user}\0${LOGIN.password}`);
    expect(await deliver({ user: LOGIN.user, passwordFile: join(folder, "none") })).toEqual({
      outcome: "permanent",
      detail: `passwordFile ${join(folder, "none")} cannot be read: ENOENT`,
    });
    expect(receiver.received).toHaveLength(1);
  });

  it("gives up in time on a server that accepts and says nothing", async () => {
    await start();
    receiver.behave({ greeting: () => undefined });
    expect(await deliver({}, 200)).toEqual({
      outcome: "temporary",
      detail: `${server()}: no answer within 200 ms`,
    });
  });

  it("gives up in time on one that falls silent in the middle", async () => {
    await start();
    receiver.behave({ RCPT: () => undefined });
    expect(await deliver({ security: "none", timeout: "1s" }, 60_000)).toEqual({
      outcome: "temporary",
      detail: `${server()}: no answer within 1.0 s`,
    });
  });

  it("finds its server by the names that the host knows", async () => {
    await start();
    expect(await deliver({ security: "none", host: "localhost" })).toMatchObject({ outcome: "delivered" });
  });

  it("says so when nobody listens", async () => {
    await start();
    await receiver.close();
    expect(await deliver()).toEqual({ outcome: "temporary", detail: `${server()}: connection refused` });
  });

  it("says so when what answers speaks something else", async () => {
    await start();
    receiver.behave({ greeting: () => "SSH-2.0-OpenSSH_9.2" });
    const result = await deliver({ security: "none" }, 1000);
    expect(result).toEqual({
      outcome: "temporary",
      detail: `${server()}: the answer is not that of a mail server: SSH-2.0-OpenSSH_9.2`,
    });
  });

  it("says so when the server wants TLS from the first byte, and the other way round", async () => {
    await start({ certified, tls: true });
    expect((await deliver({}, 300)).detail).toMatch(/no answer within 300 ms$|reset|closed/);
    await receiver.close();
    await start({ certified });
    expect((await deliver({ security: "tls" }, 1000)).detail).toMatch(/no TLS connection could be agreed on/);
  });
});
