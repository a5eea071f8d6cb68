/** Settings of mail, handed to a server by SMTP (RFC 5321, submission by RFC 6409). */
import * as z from "zod";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { checkSecretPair, secretFile, secretText } from "./secrets.ts";

export const SMTP_RECIPIENTS_MAX: number = 20;
/** RFC 5321, section 4.5.3.1.3, without the angle brackets. */
export const MAIL_ADDRESS_CHARS_MAX: number = 254;

/**
 * - `starttls`: plain at first, then TLS, or no mail at all.
 * - `tls`: TLS from the first byte.
 * - `none`: never TLS, for a server on this host or in a network of one's own.
 */
export type SmtpSecurity = "starttls" | "tls" | "none";

export interface SmtpConfig extends CommonChannelConfig {
  readonly type: "smtp";
  /** Name or IP address of the server (IPv6 without brackets). No default. */
  readonly host: string;
  /** 1 to 65535. Default: 587 for starttls, 465 for tls, 25 for none. */
  readonly port?: number | undefined;
  /** Default: starttls. */
  readonly security?: SmtpSecurity | undefined;
  /** 1 to 320 characters. Default: none, and then nobody logs in. Not with `security: none`. */
  readonly user?: string | undefined;
  /** 1 to 1024 characters. Needed with `user`, here or in a file. */
  readonly password?: string | undefined;
  /** Absolute path of a file that holds the password instead. */
  readonly passwordFile?: string | undefined;
  /** The sender's address, without a display name. Replies and bounces go there. No default. */
  readonly from: string;
  /** The recipients' addresses, 1 to 20. No default. */
  readonly to: readonly string[];
}

export const smtpSecurityOf = (config: SmtpConfig): SmtpSecurity => config.security ?? "starttls";

const PORTS: Readonly<Record<SmtpSecurity, number>> = { starttls: 587, tls: 465, none: 25 };
export const smtpPortOf = (config: SmtpConfig): number => config.port ?? PORTS[smtpSecurityOf(config)];

const securities: Readonly<Record<SmtpSecurity, SmtpSecurity>> = {
  starttls: "starttls",
  tls: "tls",
  none: "none",
};

/** RFC 5321's Mailbox in ASCII, without quoted names and address literals, which servers disagree about. */
const address: z.ZodType<string> = z
  .string()
  .max(MAIL_ADDRESS_CHARS_MAX)
  .regex(
    /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/,
    "must be a mail address in ASCII without a display name, for example admin@example.com",
  );

const schema: ChannelSchema<SmtpConfig> = z
  .strictObject({
    ...commonFields,
    type: z.literal("smtp"),
    host: z.string().regex(/^[A-Za-z0-9._:-]{1,253}$/, "must be a host's name or IP address"),
    port: z.int().min(1).max(65_535).optional(),
    security: z.enum(securities).optional(),
    user: z
      .string()
      .min(1)
      .max(320)
      .regex(/^\P{Cc}*$/u, "must be one line of text")
      .optional(),
    password: secretText(1).optional(),
    passwordFile: secretFile.optional(),
    from: address,
    to: z.array(address).min(1).max(SMTP_RECIPIENTS_MAX),
  })
  .superRefine((config, context) => {
    const { user, security } = config;
    const refuse = (key: string, message: string): void =>
      context.addIssue({ code: "custom", path: [key], message });
    checkSecretPair(config, "password", context, user === undefined ? "optional" : "required");
    const password = config.password !== undefined ? "password" : "passwordFile";
    if (user === undefined && config[password] !== undefined) refuse(password, "needs a `user`");
    if (user !== undefined && security === "none")
      refuse("security", "would send the password readable for everyone on the way; use starttls or tls");
  });

/** What is sent to log in (RFC 4616), beside its parts: servers quote the command that they refuse. */
export const loginSecrets = (user: string, password: string): string[] => [
  user,
  password,
  `\0${user}\0${password}`,
];

export const smtpKind: ChannelKind<SmtpConfig> = {
  schema,
  secretsOf: ({ user, password }) =>
    user === undefined || password === undefined
      ? [user, password].filter((secret) => secret !== undefined)
      : loginSecrets(user, password),
  describe: (config) => `${config.host}:${smtpPortOf(config)}`,
};
