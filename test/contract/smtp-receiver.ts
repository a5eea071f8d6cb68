/** A mail server (RFC 5321) that does as it is told, over real sockets on loopback. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { Certified } from "./channel-receiver.ts";

/** Where a conversation can be made to go another way; `body`: after the dot that ends a mail. */
export type SmtpMoment = "greeting" | "EHLO" | "STARTTLS" | "AUTH" | "MAIL" | "RCPT" | "DATA" | "body";

/** The reply, without its line end; what is said otherwise, or not at all, is done by hand. */
export type SmtpReply = (socket: Socket, line: string) => string | undefined;

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it was sent, without the stuffed dots. */
  readonly raw: string;
  readonly secure: boolean;
  /** What AUTH PLAIN held, decoded. */
  readonly login: string | undefined;
}

export interface SmtpReceiver {
  readonly port: number;
  readonly received: readonly ReceivedMail[];
  /** The commands that came, in their order. */
  readonly commands: readonly string[];
  /** For all conversations from now on; a moment that is not named goes well. */
  behave(replies: Partial<Record<SmtpMoment, SmtpReply>>): void;
  close(): Promise<void>;
}

export interface SmtpReceiverOptions {
  /** Offers STARTTLS with it; with `tls`, speaks TLS from the first byte. */
  readonly certified?: Certified;
  readonly tls?: boolean;
  readonly offersLogin?: boolean;
  /** Larger mails are refused. Default: the 64 KiB that every server has to take. */
  readonly sizeMax?: number;
}

const SIZE_LEAST = 65_536;

/** What all conversations of one receiver share. */
interface Shared {
  readonly received: ReceivedMail[];
  readonly commands: string[];
  replies: Partial<Record<SmtpMoment, SmtpReply>>;
  readonly context: SecureContext | undefined;
  readonly offersLogin: boolean;
  readonly sizeMax: number;
}

class Conversation {
  private socket: Socket;
  private readonly shared: Shared;
  private secure = false;
  private login: string | undefined;
  private from = "";
  private to: string[] = [];
  /** The lines of a mail that is being received. */
  private body: string[] | undefined;
  private pending = "";

  constructor(socket: Socket, shared: Shared, tls: boolean) {
    this.socket = socket;
    this.shared = shared;
    if (tls) this.encrypt();
    else this.listen();
    this.reply("greeting", "", "220 receiver.example ESMTP");
  }

  private reply(moment: SmtpMoment, line: string, usual: string): void {
    const told = this.shared.replies[moment];
    const text = told === undefined ? usual : told(this.socket, line);
    if (text !== undefined) this.socket.write(`${text}\r\n`);
  }

  private listen(): void {
    this.socket.on("error", () => undefined);
    this.socket.on("data", (chunk: Buffer) => {
      this.pending += chunk.toString("utf8");
      for (let end = this.pending.indexOf("\r\n"); end !== -1; end = this.pending.indexOf("\r\n")) {
        const line = this.pending.slice(0, end);
        this.pending = this.pending.slice(end + 2);
        if (this.body === undefined) this.command(line);
        else if (line !== ".") this.body.push(line);
        else this.endMail(this.body);
      }
    });
  }

  private encrypt(): void {
    this.socket.removeAllListeners("data");
    this.socket = new TLSSocket(this.socket, { isServer: true, secureContext: this.shared.context });
    this.secure = true;
    this.pending = "";
    this.listen();
  }

  private command(line: string): void {
    this.shared.commands.push(line);
    const [verb = ""] = line.toUpperCase().split(/[ :]/);
    const known = Object.hasOwn(this.verbs, verb) ? this.verbs[verb] : undefined;
    if (known === undefined) this.socket.write("500 5.5.2 what?\r\n");
    else known(line);
  }

  private readonly verbs: Readonly<Record<string, (line: string) => void>> = {
    EHLO: (line) => this.reply("EHLO", line, this.extensions()),
    STARTTLS: (line) => {
      const { context, replies } = this.shared;
      this.reply(
        "STARTTLS",
        line,
        context === undefined ? "502 5.5.1 no such command" : "220 2.0.0 go ahead",
      );
      if (context !== undefined && replies.STARTTLS === undefined) this.encrypt();
    },
    AUTH: (line) => {
      this.login = Buffer.from(line.split(" ")[2] ?? "", "base64").toString("utf8");
      this.reply("AUTH", line, "235 2.7.0 welcome");
    },
    MAIL: (line) => {
      this.from = addressIn(line);
      this.to = [];
      this.reply("MAIL", line, "250 2.1.0 Ok");
    },
    RCPT: (line) => {
      this.to.push(addressIn(line));
      this.reply("RCPT", line, "250 2.1.5 Ok");
    },
    DATA: (line) => {
      if (this.shared.replies.DATA === undefined) this.body = [];
      this.reply("DATA", line, "354 end with a dot");
    },
    QUIT: () => void this.socket.end("221 2.0.0 bye\r\n"),
  };

  private extensions(): string {
    const { context, offersLogin, sizeMax } = this.shared;
    const offered = [
      "receiver.example",
      "8BITMIME",
      `SIZE ${sizeMax}`,
      ...(context !== undefined && !this.secure ? ["STARTTLS"] : []),
      ...(offersLogin ? ["AUTH PLAIN"] : []),
    ];
    return offered.map((line, index) => `250${index === offered.length - 1 ? " " : "-"}${line}`).join("\r\n");
  }

  private endMail(lines: readonly string[]): void {
    this.body = undefined;
    const raw = lines.map((line) => line.replace(/^\./, "")).join("\r\n");
    const { from, to, secure, login } = this;
    this.shared.received.push({ from, to, raw, secure, login });
    const tooLarge = Buffer.byteLength(raw) > this.shared.sizeMax;
    this.reply("body", "", tooLarge ? "552 5.3.4 message too big" : "250 2.0.0 Ok: queued");
  }
}

const addressIn = (line: string): string => /<(.*?)>/.exec(line)?.[1] ?? "";

export async function startSmtpReceiver(options: SmtpReceiverOptions = {}): Promise<SmtpReceiver> {
  const { certified, tls = false, offersLogin = false, sizeMax = SIZE_LEAST } = options;
  const sockets = new Set<Socket>();
  const shared: Shared = {
    received: [],
    commands: [],
    replies: {},
    context: certified === undefined ? undefined : createSecureContext(certified),
    offersLogin,
    sizeMax,
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    new Conversation(socket, shared, tls);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received: shared.received,
    commands: shared.commands,
    behave: (replies) => {
      shared.replies = replies;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
