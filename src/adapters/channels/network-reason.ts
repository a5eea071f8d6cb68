/** Says in words why a connection to a receiver failed. */

/** By the code of the error: errno names, and those of Node's tls (OpenSSL's X509_V_ERR_*). */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was reset before an answer came",
  EPIPE: "the connection was closed before the message was sent",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to its network",
  ETIMEDOUT: "no connection",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the name server does not answer",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet; are the clocks right?",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not trusted (self-signed: see update-ca-certificates)",
  SELF_SIGNED_CERT_IN_CHAIN:
    "its certificate is not trusted (its root is unknown here: see update-ca-certificates)",
  UNABLE_TO_GET_ISSUER_CERT:
    "its certificate is not trusted (its issuer is unknown here: see update-ca-certificates)",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "its certificate is not trusted (its issuer is unknown here: see update-ca-certificates)",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "its certificate is not trusted (its issuer is unknown here: see update-ca-certificates)",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  EPROTO: "no TLS connection could be agreed on; is it https?",
  HPE_INVALID_CONSTANT: "the answer is not HTTP",
  HPE_HEADER_OVERFLOW: "the answer's headers are too large",
};

/** Any other code is given as it is: a code, unlike a message, holds nothing of the request. */
export function networkReason(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) return "failed for an unknown reason";
  return REASONS[code] ?? `failed (${code})`;
}
