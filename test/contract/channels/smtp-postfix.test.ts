/** Mail through a real server: what arrives is what a person's mail program gets to see. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createChannel } from "../../../src/adapters/channels/registry.ts";
import type { DeliveryOutcome } from "../../../src/core/io.ts";
import type { Notification } from "../../../src/core/notification.ts";
import { wallTime } from "../../../src/kit/time.ts";
import type { SmtpConfig } from "../../../src/wire/channels/smtp.ts";
import { readMail } from "../mail-reader.ts";
import { type Postfix, postfixMissing, startPostfix } from "../postfix.ts";
import { LONG_NOTIFICATION, LONG_TITLE_BEGINS, SAMPLE_NOTIFICATION } from "../sample-notification.ts";
import { DAY_MS, selfSigned } from "../self-signed.ts";

const missing = postfixMissing();
const FROM = "balefire@example.test";

describe.skipIf(missing !== undefined && process.env.CI !== "true")(
  `mail through Postfix${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let postfix: Postfix;
    let folder: string;
    let delivered = 0;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "balefire-smtp-"));
      const now = Date.now();
      const certified = await selfSigned("127.0.0.1", now - DAY_MS, now + DAY_MS);
      writeFileSync(join(folder, "roots.pem"), certified.cert);
      postfix = await startPostfix(certified);
    });
    afterAll(async () => {
      await postfix.close();
      rmSync(folder, { recursive: true });
    });

    const send = (
      changed: Partial<Notification>,
      settings: Partial<SmtpConfig> = {},
    ): Promise<DeliveryOutcome> => {
      const config: SmtpConfig = {
        name: "mail",
        type: "smtp",
        host: "127.0.0.1",
        port: postfix.port,
        from: FROM,
        to: ["admin@example.test"],
        ...settings,
      };
      const around = { wall: () => wallTime(Date.now()), rootsFile: join(folder, "roots.pem") };
      return createChannel(config, around).deliver({ ...SAMPLE_NOTIFICATION, ...changed }, 10_000);
    };
    /** The mail that arrives for it. */
    const mailed = async (changed: Partial<Notification>): Promise<ReturnType<typeof readMail>> => {
      const before = new Set(await postfix.mails(delivered));
      expect(await send(changed)).toMatchObject({ outcome: "delivered" });
      delivered += 1;
      const added = (await postfix.mails(delivered)).filter((mail) => !before.has(mail));
      expect(added).toHaveLength(1);
      return readMail(added[0] ?? "");
    };

    it("arrives as it was written, over TLS, and says where it is queued", async () => {
      const outcome = await send({ id: "a".repeat(32) });
      delivered += 1;
      expect(outcome.detail).toMatch(/^250 2\.0\.0 Ok: queued as [0-9A-Za-z]+$/);
      const [raw = ""] = await postfix.mails(1);
      const { headers, parts } = readMail(raw);
      expect(headers.received).toMatch(/by postfix\.example\.test .*with ESMTPS/);
      expect(headers).toMatchObject({
        from: `Balefire <${FROM}>`,
        to: "admin@example.test",
        subject: SAMPLE_NOTIFICATION.title,
        "message-id": `<${"a".repeat(32)}@example.test>`,
        "return-path": `<${FROM}>`,
        "auto-submitted": "auto-generated",
        "x-priority": "1 (Highest)",
      });
      expect(Math.abs(Date.now() - Date.parse(headers.date ?? ""))).toBeLessThan(60_000);
      expect(parts["text/plain"]).toContain(SAMPLE_NOTIFICATION.text);
      expect(parts["text/html"]).toContain("Übrigens: \\ and \u2028 must survive.</p>");
    });

    it("keeps a recovery in the thread of its down", async () => {
      const down = await mailed({ id: "b".repeat(32) });
      const up = await mailed({ id: "c".repeat(32), state: "resolved", follows: ["b".repeat(32)] });
      expect(up.headers["in-reply-to"]).toBe(down.headers["message-id"]);
      expect(up.headers.references).toBe(down.headers["message-id"]);
    });

    it("is the same mail when it is sent again, so that a mailbox can drop it", async () => {
      const first = await mailed({ id: "d".repeat(32) });
      const again = await mailed({ id: "d".repeat(32) });
      expect(again.headers["message-id"]).toBe(first.headers["message-id"]);
    });

    it("survives lines that mean something to SMTP, and a text too long", async () => {
      const dots = ".\n..\n.QUIT\n";
      const { headers, parts } = await mailed({
        title: LONG_NOTIFICATION.title,
        text: `${dots}${LONG_NOTIFICATION.text}`,
      });
      expect(headers.subject).toMatch(new RegExp(`^${LONG_TITLE_BEGINS}.*…$`));
      expect(parts["text/plain"]).toContain(`\n${dots}Zeile mit Ümlauten, 漢字 und 🔥 <b>&amp;`);
    });

    it("is not tried again where it is refused, and is where it is put off", async () => {
      expect(await send({}, { to: ["someone@else.test"] })).toMatchObject({
        outcome: "permanent",
        detail: expect.stringContaining("554 5.7.1 <someone@else.test>: Relay access denied"),
      });
      expect(await send({}, { to: ["busy@example.test"] })).toMatchObject({
        outcome: "temporary",
        detail: expect.stringContaining("450 4.7.1 <busy@example.test>"),
      });
      expect(await send({}, { security: "none" })).toMatchObject({
        outcome: "permanent",
        detail: expect.stringContaining("530 5.7.0 Must issue a STARTTLS command first"),
      });
      await postfix.stop();
      expect(await send({})).toMatchObject({ outcome: "temporary" });
    });
  },
);
