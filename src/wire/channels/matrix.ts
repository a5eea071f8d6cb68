/** Settings of a Matrix room, written to by a user of one's own over the client-server API. */
import * as z from "zod";
import { type ChannelKind, type ChannelSchema, type CommonChannelConfig, commonFields } from "./common.ts";
import { checkSecretPair, secretFile } from "./secrets.ts";
import { hostOf, receiverUrl, urlSecrets } from "./url.ts";

/** What can stand in a header; homeservers make tokens of letters, digits and a few signs. */
export const MATRIX_TOKEN: RegExp = /^[\x21-\x7e]{8,1024}$/;
/** Matrix specification, appendices, "Common Identifier Format". */
const ROOM_ID_CHARS_MAX: number = 255;

export interface MatrixConfig extends CommonChannelConfig {
  readonly type: "matrix";
  /**
   * The homeserver's base URL, without `/_matrix`: http or https, 2048 characters at most, user and
   * password allowed (sent as HTTP Basic), no fragment. No default.
   */
  readonly url: string;
  /**
   * The room's id, as in `!abc:example.org` (an alias such as `#room:example.org` can be moved to
   * another room, and the API takes none). The user must be in it. No default.
   */
  readonly room: string;
  /** The user's access token, 8 to 1024 printable characters. No default; this or `tokenFile`. */
  readonly token?: string | undefined;
  /** Absolute path of a file that holds the token instead. Default: none. Not together with `token`. */
  readonly tokenFile?: string | undefined;
}

const schema: ChannelSchema<MatrixConfig> = z
  .strictObject({
    ...commonFields,
    type: z.literal("matrix"),
    url: receiverUrl,
    room: z
      .string()
      .max(ROOM_ID_CHARS_MAX)
      .regex(/^![\x21-\x7e]+$/, "must be a room's id, which begins with `!`, as in !abc:example.org"),
    token: z
      .string()
      .regex(MATRIX_TOKEN, "must be an access token: 8 to 1024 printable characters without spaces")
      .optional(),
    tokenFile: secretFile.optional(),
  })
  .superRefine((config, context) => checkSecretPair(config, "token", context, "required"));

export const matrixKind: ChannelKind<MatrixConfig> = {
  schema,
  secretsOf: ({ url, token }) => [...urlSecrets(url), ...(token === undefined ? [] : [token])],
  describe: ({ url }) => hostOf(url),
};
