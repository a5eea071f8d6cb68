/**
 * Who is at the other end of a TLS connection. The roster's pin decides; of the chain errors
 * only the dates are tolerated. OpenSSL reports one error a chain, the last it met, and dates are
 * looked at after signatures: behind "expired" a bad signature can hide. So the chain is walked here as well.
 */
import { createHash, X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { NodeId } from "../../core/types.ts";
import { failure, ok, type Result } from "../../kit/result.ts";
import { type WallTime, wallTime } from "../../kit/time.ts";
import type { TrustView } from "../../ports/transport.ts";

export const PEER_ALPN = "balefire/1";
/** Only dates: a pinned peer whose certificate ran out may still beat, answer and renew. */
const TOLERATED: ReadonlySet<string> = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"]);
const NODE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Leaf, intermediate, root. */
const ISSUERS_MAX = 2;

export interface PeerIdentity {
  readonly peer: NodeId;
  readonly name: string;
  readonly pin: string;
  readonly leaf: X509Certificate;
  readonly expires: WallTime;
  /** Outside its validity by our clock or by OpenSSL's. */
  readonly flagged: boolean;
}

const refuse = (message: string, remedy?: string): Result<never> =>
  failure("certificate-invalid", message, remedy);

/** Checks everything before a byte of the connection is used. `dialled`: the peer that has to answer. */
export function identify(
  socket: TLSSocket,
  trust: TrustView,
  now: WallTime,
  dialled?: NodeId,
): Result<PeerIdentity> {
  if (socket.getProtocol() !== "TLSv1.3" || socket.alpnProtocol !== PEER_ALPN) {
    return failure("protocol-violation", "a connection does not speak the peers' protocol");
  }
  // A resumed session carries no certificate and would outlive the check of the first one.
  const leaf = socket.getPeerX509Certificate();
  if (socket.isSessionReused() || leaf === undefined) return refuse("a connection shows no certificate");
  const chainError = chainErrorOf(socket);
  if (chainError !== undefined && !TOLERATED.has(chainError))
    return refuse(`the certificate is not trusted: ${chainError}`);
  if (!leadsToRoot(leaf, trust)) return refuse("the certificate was not issued under this mesh's root");
  const identity = identifyLeaf(leaf, trust, now, dialled);
  if (!identity.ok || chainError === undefined) return identity;
  return ok({ ...identity.value, flagged: true });
}

function identifyLeaf(
  leaf: X509Certificate,
  trust: TrustView,
  now: WallTime,
  dialled: NodeId | undefined,
): Result<PeerIdentity> {
  const id = nodeOf(leaf, trust.mesh);
  if (id === undefined) return refuse("the certificate names no node of this mesh");
  const pinned = trust.peers.find((peer) => peer.id === id);
  if (pinned === undefined) return refuse(`the certificate's node ${id} is not in the roster`);
  const pin = pinOf(leaf);
  if (pinned.pin !== pin) return refuse(`the key of ${pinned.name} is not the one in the roster`);
  if (dialled !== undefined && dialled !== id)
    return refuse(`${pinned.name} answered instead of the node dialled`);
  const expires = wallTime(leaf.validToDate.getTime());
  return ok({ peer: pinned.id, name: pinned.name, pin, leaf, expires, flagged: isFlagged(leaf, now) });
}

/**
 * Of this mesh, though no peer of it now: its chain leads to a root, and names a node. A key that was revoked
 * on suspicion is told nothing: the roster holds what was changed because of it.
 */
export function isDismissed(socket: TLSSocket, trust: TrustView): boolean {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined || socket.alpnProtocol !== PEER_ALPN) return false;
  const chainError = chainErrorOf(socket);
  if (chainError !== undefined && !TOLERATED.has(chainError)) return false;
  const pin = pinOf(leaf);
  if (trust.untold?.includes(pin) === true || trust.peers.some((peer) => peer.pin === pin)) return false;
  if (nodeOf(leaf, trust.mesh) === undefined || !leadsToRoot(leaf, trust)) return false;
  if (trust.removed?.includes(pin) === true) return true;
  const issuers = trust.issuers.map((pem) => new X509Certificate(pem));
  if (leaf.issuerCertificate !== undefined) issuers.push(leaf.issuerCertificate);
  const issuer = issuers.find((each) => leaf.checkIssued(each) && leaf.verify(each.publicKey));
  return issuer !== undefined && trust.untold?.includes(pinOf(issuer)) !== true;
}

/** Whether the peer of a connection that was let in is one of this view, by the same key. */
export const isStillPinned = (identity: PeerIdentity, trust: Pick<TrustView, "peers">): boolean =>
  trust.peers.find((peer) => peer.id === identity.peer)?.pin === identity.pin;

/** Base64url SHA-256 of the SubjectPublicKeyInfo in DER. */
export const pinOf = (certificate: X509Certificate): string =>
  createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");

/** Any certificate of the chain outside its dates: we ask about the whole chain because OpenSSL does. */
export function isFlagged(leaf: X509Certificate, now: WallTime): boolean {
  for (
    let at: X509Certificate | undefined = leaf, seen = 0;
    at !== undefined && seen <= ISSUERS_MAX;
    seen += 1
  ) {
    if (now < at.validFromDate.getTime() || now > at.validToDate.getTime()) return true;
    at = at.issuerCertificate;
  }
  return false;
}

function chainErrorOf(socket: TLSSocket): string | undefined {
  if (socket.authorized) return undefined;
  // Node documents an Error and gives its code as a string.
  const error: unknown = socket.authorizationError;
  if (typeof error === "string") return error;
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : "unknown";
}

/** Signature by signature up to a trusted root, by the issuer shown or one we know; leaves issue nothing, issuers are CAs. */
export function leadsToRoot(leaf: X509Certificate, trust: Pick<TrustView, "roots" | "issuers">): boolean {
  if (leaf.ca) return false;
  const anchors = trust.roots.map((pem) => new X509Certificate(pem));
  const isAnchored = (certificate: X509Certificate): boolean =>
    anchors.some((anchor) => issues(anchor, certificate));
  const leadsBy = (issuer: X509Certificate): boolean => issues(issuer, leaf) && isAnchored(issuer);
  const shown = leaf.issuerCertificate;
  return (
    isAnchored(leaf) ||
    (shown !== undefined && leadsBy(shown)) ||
    trust.issuers.some((pem) => leadsBy(new X509Certificate(pem)))
  );
}

const issues = (issuer: X509Certificate, subject: X509Certificate): boolean =>
  issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);

/** The uuid in `URI:spiffe://<mesh>/node/<uuid>`, the certificate's only URI. Node escapes separators inside a name. */
function nodeOf(leaf: X509Certificate, mesh: string): string | undefined {
  const uris = (leaf.subjectAltName ?? "").split(", ").filter((name) => name.startsWith("URI:"));
  const prefix = `URI:spiffe://${mesh}/node/`;
  const [uri] = uris;
  if (uri === undefined || uris.length !== 1 || !uri.startsWith(prefix)) return undefined;
  const id = uri.slice(prefix.length);
  return NODE_ID.test(id) ? id : undefined;
}
