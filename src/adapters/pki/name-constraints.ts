/** What a signer of one mesh may name in certificates: nodes of that mesh, nothing else (RFC 5280 section 4.2.1.10). */
import { contextPlainTag, contextTag, der, TAG } from "./der.ts";

const EMAIL = contextPlainTag(1);
const DNS = contextPlainTag(2);
const URI = contextPlainTag(6);
const IP = contextPlainTag(7);
/** Address and mask; a mask without a bit lets every address through. */
const IPV4_ALL = Buffer.alloc(8);
const IPV6_ALL = Buffer.alloc(32);
const DNS_ALL = Buffer.alloc(0);
/**
 * "All mail addresses" cannot be excluded in a way that everyone understands (OpenSSL takes the empty
 * name for none of them). Those of a host that can never exist (RFC 2606) are allowed instead.
 */
const NO_MAIL_HOST = Buffer.from("invalid");

/** The extension's value. A URI is constrained by its host, which in `spiffe://MESH/node/…` is the mesh. */
export const nameConstraints = (mesh: string): Buffer =>
  der(
    TAG.sequence,
    der(contextTag(0), subtree(URI, Buffer.from(mesh)), subtree(EMAIL, NO_MAIL_HOST)),
    der(contextTag(1), subtree(DNS, DNS_ALL), subtree(IP, IPV4_ALL), subtree(IP, IPV6_ALL)),
  );

const subtree = (kind: number, name: Buffer): Buffer => der(TAG.sequence, der(kind, name));
