/** Reads a mail as a mail program would: headers unfolded and decoded (RFC 2047), parts decoded (RFC 2045). */

export interface ReadMail {
  /** By lower-case name; of several with one name, the first. */
  readonly headers: Readonly<Record<string, string>>;
  /** By media type, such as `text/plain`. */
  readonly parts: Readonly<Record<string, string>>;
}

export function readMail(raw: string): ReadMail {
  const { headers, body } = split(raw.replaceAll("\r\n", "\n"));
  const boundary = /boundary="?([^";]+)"?/.exec(headers["content-type"] ?? "")?.[1];
  const pieces =
    boundary === undefined
      ? [{ headers, body }]
      : body.split(`\n--${boundary}`).slice(0, -1).map(part(boundary));
  return {
    headers,
    parts: Object.fromEntries(
      pieces.map((piece) => [mediaType(piece.headers), decode(piece.body, piece.headers)] as const),
    ),
  };
}

interface Piece {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const part =
  (boundary: string) =>
  (text: string): Piece =>
    split(text.replace(`--${boundary}`, "").replace(/^\n/, ""));

function split(text: string): Piece {
  const end = text.indexOf("\n\n");
  const headers: Record<string, string> = {};
  for (const line of text
    .slice(0, end)
    .replace(/\n[ \t]+/g, " ")
    .split("\n")) {
    const [, name = "", value = ""] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
    headers[name.toLowerCase()] ??= words(value);
  }
  return { headers, body: text.slice(end + 2) };
}

const mediaType = (headers: Readonly<Record<string, string>>): string =>
  headers["content-type"]?.split(";")[0]?.trim() ?? "";

/** Neighbouring encoded words belong together, whatever space is between them. */
const words = (value: string): string =>
  value.replace(/\?=\s+=\?/g, "?==?").replace(/(=\?utf-8\?([bq])\?[^?]*\?=)+/gi, (run) => {
    const bytes = [...run.matchAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi)].map(([, how = "", text = ""]) =>
      how.toLowerCase() === "b" ? Buffer.from(text, "base64") : quotedPrintable(text.replaceAll("_", " ")),
    );
    return Buffer.concat(bytes).toString("utf8");
  });

function decode(body: string, headers: Readonly<Record<string, string>>): string {
  switch (headers["content-transfer-encoding"]) {
    case "base64":
      return Buffer.from(body, "base64").toString("utf8");
    case "quoted-printable":
      return quotedPrintable(body.replace(/=\n/g, "")).toString("utf8");
    default:
      return body;
  }
}

const quotedPrintable = (text: string): Buffer =>
  Buffer.from(
    text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  );
