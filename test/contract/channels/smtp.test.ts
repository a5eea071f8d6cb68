import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createChannel } from "../../../src/adapters/channels/registry.ts";
import { wallTime } from "../../../src/kit/time.ts";
import type { SmtpConfig } from "../../../src/wire/channels/smtp.ts";
import { channelContract, type ServiceMood } from "../channel-contract.ts";
import { readMail } from "../mail-reader.ts";
import { DAY_MS, selfSigned } from "../self-signed.ts";
import { type SmtpMoment, type SmtpReply, startSmtpReceiver } from "../smtp-receiver.ts";

const SECRETS = { user: "mail-user@example.test", password: 'p@ss/word with "quotes" & more' };

/** A reply is one line to SMTP: what holds line ends or controls goes on in lines of its own. */
const reply = (code: number, text: string): string => {
  const lines = text.split(/[\r\n]+/);
  return lines.map((line, index) => `${code}${index === lines.length - 1 ? " " : "-"}${line}`).join("\r\n");
};

/** What the server says after it has the whole mail. */
function afterBody(mood: ServiceMood): SmtpReply | undefined {
  switch (mood.type) {
    case "accepts":
      return mood.saying === "" ? undefined : () => reply(250, `2.0.0 Ok: ${mood.saying}`);
    case "busy":
      return () => "451 4.7.1 Greylisted, please try again later";
    case "refuses":
      return () => reply(554, `5.7.1 ${mood.saying}`);
    case "resets":
      return (socket) => void socket.destroy();
    case "babbles":
      return (socket) => {
        socket.write("250 2.0.0 Ok\r\n");
        const pour = (): void => {
          while (!socket.destroyed && socket.write("250 and another thing\r\n".repeat(512)));
        };
        socket.on("drain", pour);
        pour();
        return undefined;
      };
    case "mute":
    case "gone":
      return () => undefined;
  }
}

const now = Date.now();
const certified = await selfSigned("127.0.0.1", now - DAY_MS, now + DAY_MS);

channelContract(
  "smtp",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "balefire-smtp-"));
    const rootsFile = join(folder, "roots.pem");
    writeFileSync(rootsFile, certified.cert);
    const receiver = await startSmtpReceiver({ certified, offersLogin: true });
    const config: SmtpConfig = {
      name: "mail",
      type: "smtp",
      host: "127.0.0.1",
      port: receiver.port,
      ...SECRETS,
      from: "balefire@example.test",
      to: ["admin@example.test"],
    };
    return {
      channel: createChannel(config, { wall: () => wallTime(Date.now()), rootsFile }),
      secrets: Object.values(SECRETS),
      service: {
        mood: async (mood) => {
          const told = afterBody(mood);
          receiver.behave(
            told === undefined ? {} : ({ body: told } satisfies Partial<Record<SmtpMoment, SmtpReply>>),
          );
          if (mood.type === "gone") await receiver.close();
        },
        arrived: () =>
          receiver.received.map(({ raw }) => {
            const { headers, parts } = readMail(raw);
            return { key: headers["message-id"], words: `${headers.subject}\n${parts["text/plain"]}` };
          }),
      },
      close: async () => {
        await receiver.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
  { neverSaysWhen: true },
);
