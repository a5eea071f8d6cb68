/** One mail over one fresh connection, bounded in time. nodemailer speaks the protocol. */
import { connect, type Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type MailComposer from "nodemailer/lib/mail-composer";
import type SmtpConnection from "nodemailer/lib/smtp-connection";
import type { SmtpSecurity } from "../../../wire/channels/smtp.ts";
import { CONNECT_MS_MAX, REPLY_BYTES_MAX } from "../exchange.ts";
import { type Mail, mailDate } from "./mail.ts";

/** How long the server may take to answer the goodbye, after which nobody waits any more. */
const GOODBYE_MS_MAX: number = 1000;

/** Loaded only where a channel needs it: it takes 2 MB. */
export interface Library {
  readonly Connection: typeof SmtpConnection;
  readonly Composer: typeof MailComposer;
}

export async function loadLibrary(): Promise<Library> {
  const [connection, composer] = await Promise.all([
    import("nodemailer/lib/smtp-connection"),
    import("nodemailer/lib/mail-composer"),
  ]);
  return { Connection: connection.default, Composer: composer.default };
}

export interface Submission {
  readonly host: string;
  readonly port: number;
  readonly security: SmtpSecurity;
  /** Whom to trust. Default: the roots that Node brings along. */
  readonly trust: SecureContext | undefined;
  readonly login: { readonly user: string; readonly password: string } | undefined;
  readonly from: string;
  readonly to: readonly string[];
  readonly mail: Mail;
  /** From name lookup to the server's last word. */
  readonly totalMs: number;
}

/** What nodemailer adds to its errors; its own message may hold what was sent. */
export interface SmtpError extends Error {
  readonly code?: string | undefined;
  readonly originalCode?: string | undefined;
  readonly response?: string | undefined;
  readonly responseCode?: number | undefined;
  readonly command?: string | undefined;
}

export type SubmissionEnd =
  | {
      readonly type: "accepted";
      readonly response: string;
      /** How many recipients the server did not take, and what it said of the first. */
      readonly refused: number;
      readonly refusal: string | undefined;
    }
  | { readonly type: "failed"; readonly error: SmtpError }
  /** There is a user, and the server has no way to log in. */
  | { readonly type: "no-login" }
  | { readonly type: "timed-out"; readonly waitingFor: "connection" | "answer"; readonly afterMs: number };

/** Never rejects; ends within `totalMs`, even where the library cannot be loaded in that time. */
export function submit(loading: Promise<Library>, what: Submission): Promise<SubmissionEnd> {
  const { totalMs } = what;
  const connectMs = Math.min(CONNECT_MS_MAX, totalMs);
  return new Promise((resolve) => {
    const timers: NodeJS.Timeout[] = [];
    let socket: Socket | undefined;
    let connection: SmtpConnection | undefined;
    let ended = false;
    const end = (result: SubmissionEnd): void => {
      ended = true;
      for (const timer of timers) clearTimeout(timer);
      // Accepted: the goodbye is a courtesy, which nobody waits for.
      if (result.type === "accepted") connection?.quit();
      if (connection === undefined) socket?.destroy();
      else connection.close();
      resolve(result);
    };
    const endAfter = (afterMs: number, waitingFor: "connection" | "answer"): NodeJS.Timeout => {
      const timer = setTimeout(() => end({ type: "timed-out", waitingFor, afterMs }), afterMs);
      timers.push(timer);
      return timer;
    };
    const connecting = endAfter(connectMs, "connection");
    endAfter(totalMs, "answer");

    const failed = (error: SmtpError): void => end({ type: "failed", error });
    const begin = (library: Library, message: Buffer): void => {
      if (ended) return;
      const opened = connect({ host: what.host, port: what.port });
      socket = opened;
      opened.once("error", failed).once("connect", () => {
        // Servers that keep strangers waiting for their greeting are given all the time there is.
        clearTimeout(connecting);
        opened.off("error", failed);
        connection = connectionOver(opened, library, what);
        converse(connection, what, message, end);
      });
    };
    prepare(loading, what).then(([library, message]) => begin(library, message), failed);
  });
}

async function prepare(loading: Promise<Library>, what: Submission): Promise<[Library, Buffer]> {
  const library = await loading;
  return [library, await messageOf(library, what)];
}

function messageOf({ Composer }: Library, { mail, from, to }: Submission): Promise<Buffer> {
  const composer = new Composer({
    from: { name: "Balefire", address: from },
    to: [...to],
    subject: mail.subject,
    messageId: mail.messageId,
    inReplyTo: mail.references.at(-1),
    references: [...mail.references],
    headers: { ...mail.headers, Date: mailDate(mail.date) },
    text: mail.text,
    html: mail.html,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}

/**
 * Over a socket that the host's own resolver has led to: nodemailer would ask name servers before it
 * looks into /etc/hosts, and wait for them while they are away.
 */
function connectionOver(socket: Socket, { Connection }: Library, what: Submission): SmtpConnection {
  const { host, port, security, trust } = what;
  // What is timed in `submit` decides; these come after it.
  const never = 2 * what.totalMs;
  return new Connection({
    connection: socket,
    host,
    port,
    secure: security === "tls",
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    tls: trust === undefined ? {} : { secureContext: trust },
    connectionTimeout: never,
    greetingTimeout: never,
    socketTimeout: never,
    socketCloseTimeout: GOODBYE_MS_MAX,
    maxResponseSize: REPLY_BYTES_MAX,
    logger: false,
  });
}

function converse(
  connection: SmtpConnection,
  { login, from, to }: Submission,
  message: Buffer,
  end: (result: SubmissionEnd) => void,
): void {
  const failed = (error: SmtpError): void => end({ type: "failed", error });
  const send = (): void => {
    connection.send({ from, to: [...to], size: message.length }, message, (error, info) => {
      if (error) return failed(error);
      const { response, rejected, rejectedErrors = [] } = info;
      end({ type: "accepted", response, refused: rejected.length, refusal: rejectedErrors[0]?.response });
    });
  };
  connection.on("error", failed);
  connection.connect((error) => {
    if (error) return failed(error);
    if (login === undefined) return send();
    if (!connection.allowsAuth) return end({ type: "no-login" });
    const auth = { user: login.user, pass: login.password };
    connection.login(auth, (refused) => (refused ? failed(refused) : send()));
  });
}
