/** Hands a mail to a server by SMTP, and says what became of it. */
import type { DeliveryOutcome } from "../../../core/io.ts";
import type { Notification } from "../../../core/notification.ts";
import { formatDuration, ms } from "../../../kit/time.ts";
import type { Channel } from "../../../ports/channel.ts";
import { channelSecrets } from "../../../wire/channel-config.ts";
import { timeoutOf } from "../../../wire/channels/common.ts";
import {
  loginSecrets,
  type SmtpConfig,
  smtpKind,
  smtpPortOf,
  smtpSecurityOf,
} from "../../../wire/channels/smtp.ts";
import { hideSecrets, replyForPeople, type Scrubber, scrubberFor } from "../detail.ts";
import { networkReason } from "../network-reason.ts";
import { readSecrets } from "../secret-file.ts";
import type { ChannelSurroundings } from "../surroundings.ts";
import { HOST_ROOTS_FILE, hostTrust } from "../trust-store.ts";
import { mailOf } from "./mail.ts";
import { loadLibrary, type SmtpError, type SubmissionEnd, submit } from "./session.ts";

export function createSmtp(config: SmtpConfig, around: ChannelSurroundings): Channel {
  const { host, user, from, to } = config;
  const secrets = readSecrets(config, { password: 1 });
  const password = secrets.ok ? secrets.value.password : undefined;
  const login = user === undefined || password === undefined ? undefined : { user, password };
  const scrubber = scrubberFor([
    ...channelSecrets(config),
    ...(login === undefined ? [] : loginSecrets(login.user, login.password)),
  ]);
  const security = smtpSecurityOf(config);
  const port = smtpPortOf(config);
  // Loaded here, not while a message waits.
  const trust = security === "none" ? undefined : hostTrust(around.rootsFile ?? HOST_ROOTS_FILE);
  const library = loadLibrary();
  // Told with each delivery.
  library.catch(() => undefined);

  const deliver = async (notification: Notification, timeoutMs: number): Promise<DeliveryOutcome> => {
    if (!secrets.ok) return hideSecrets({ outcome: "permanent", detail: secrets.error.message }, scrubber);
    const mail = mailOf(notification, from, around.wall());
    const totalMs = Math.min(timeoutMs, timeoutOf(config));
    const end = await submit(library, { host, port, security, trust, login, from, to, mail, totalMs });
    return hideSecrets(judge(end, config, scrubber), scrubber);
  };
  return { name: config.name, type: config.type, deliver };
}

function judge(end: SubmissionEnd, config: SmtpConfig, scrubber: Scrubber): DeliveryOutcome {
  const server = smtpKind.describe(config);
  const said = (response: string): string => replyForPeople(response, false, scrubber);
  switch (end.type) {
    case "accepted": {
      const { refused, refusal = "" } = end;
      const partly = refused === 0 ? "" : `; refused for ${refused} of ${config.to.length}: ${said(refusal)}`;
      return { outcome: "delivered", detail: `${said(end.response)}${partly}` };
    }
    case "no-login":
      return {
        outcome: "permanent",
        detail: `${server}: the server offers no way to log in; leave out \`user\``,
      };
    case "timed-out": {
      const detail = `${server}: no ${end.waitingFor} within ${formatDuration(ms(end.afterMs))}`;
      return { outcome: "temporary", detail };
    }
    case "failed": {
      const { outcome, reason } = judgeError(end.error, said);
      return { outcome, detail: `${server}: ${reason}` };
    }
  }
}

interface Judged {
  readonly outcome: "temporary" | "permanent";
  readonly reason: string;
}

/** By nodemailer's codes, https://nodemailer.com/errors, and the server's own reply where there is one. */
function judgeError(error: SmtpError, said: (response: string) => string): Judged {
  const { code, originalCode, response, responseCode, command } = error;
  if (code === "ETLS" && command === "STARTTLS" && response !== undefined) {
    const reason = `the server does not offer STARTTLS (${said(response)}); see \`security\``;
    return { outcome: "temporary", reason };
  }
  if (response !== undefined && responseCode !== undefined) {
    return { outcome: isPermanent(responseCode) ? "permanent" : "temporary", reason: said(response) };
  }
  if (response !== undefined && response.trim() !== "") {
    return { outcome: "temporary", reason: `the answer is not that of a mail server: ${said(response)}` };
  }
  if (originalCode === "EPROTO" || originalCode?.startsWith("ERR_SSL_")) {
    return { outcome: "temporary", reason: "no TLS connection could be agreed on; see `security`" };
  }
  switch (code) {
    case "EAUTH":
      return { outcome: "permanent", reason: "the server offers no way to log in that is known here" };
    case "EENVELOPE":
      return { outcome: "permanent", reason: "an address of `from` or `to` cannot be sent" };
    case "EMESSAGE":
      return { outcome: "permanent", reason: "the server takes no mail as large as this" };
    case "ECONNECTION":
    case "ETLS":
      return { outcome: "temporary", reason: "the connection was closed before an answer came" };
    case "EPROTOCOL":
      return { outcome: "temporary", reason: "the answer is not that of a mail server" };
    default:
      return { outcome: "temporary", reason: networkReason(codedAs(originalCode ?? code)) };
  }
}

/** RFC 5321, section 4.2.1. 503 says that the conversation went astray, which another may not. */
const isPermanent = (responseCode: number): boolean =>
  responseCode >= 500 && responseCode < 600 && responseCode !== 503;

const codedAs = (code: string | undefined): Error =>
  Object.assign(new Error(), code === undefined ? {} : { code });
