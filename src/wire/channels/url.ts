/** Addresses of receivers. Services keep their tokens in any part of one, so all but the host is a secret. */
import * as z from "zod";

export const URL_CHARS_MAX: number = 2048;

interface UrlParts {
  readonly userinfo: string;
  /** With the port. */
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

/**
 * RFC 3986 in the part of it that all parsers read alike: printable ASCII, at most one `@` before
 * the path, a host of plain letters or a bracketed IPv6 address.
 */
function urlParts(text: string): UrlParts | undefined {
  const found =
    /^https?:\/\/(?:([^@/?]*)@)?((?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?)(\/[^?]*)?(?:\?(.*))?$/i.exec(
      text,
    );
  if (found === null) return undefined;
  const [, userinfo = "", host = "", path = "/", query = ""] = found;
  return { userinfo, host, path, query };
}

function urlProblem(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text)) return "must begin with https:// or http://";
  if (text.includes("#")) return "must not have a fragment (#…); encode a literal # as %23";
  if (/[^\x21-\x7e]|[\\"<>^`{|}]/.test(text)) {
    return 'must be printable ASCII without spaces and without \\ " < > ^ ` { | }; percent-encode them';
  }
  if (urlParts(text) === undefined)
    return "is not a URL; write it in full, for example https://ntfy.example/topic";
  return undefined;
}

/** http or https, 2048 characters at most; user and password allowed (sent as HTTP Basic), no fragment. */
export const receiverUrl: z.ZodType<string> = z
  .string()
  .max(URL_CHARS_MAX)
  .superRefine((text, context) => {
    const problem = urlProblem(text);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });

/** Host and port: all that may be shown of a URL. */
export const hostOf = (url: string): string => urlParts(url)?.host ?? "no host";

/** Services keep their tokens in any part of the URL: path (Slack), query, user and password. */
export function urlSecrets(text: string): string[] {
  const parts = urlParts(text);
  if (parts === undefined) return [text];
  const { userinfo, path, query } = parts;
  // The origin alone is what errors name the service by.
  if (userinfo === "" && query === "" && path === "/") return [];
  const fields = query.split("&").flatMap((field) => [field, ...field.split("=")]);
  return [
    text,
    path,
    query,
    `${path}?${query}`,
    ...path.split("/"),
    ...fields,
    ...fields.map((field) => field.replaceAll("+", " ")),
    userinfo,
    ...userinfo.split(":"),
  ];
}
