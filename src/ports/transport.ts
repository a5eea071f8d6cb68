import type { Envelope, Plane } from "../core/messages.ts";
import type { Address, MeshId, NodeId } from "../core/types.ts";

/** Whom the roster lets in; pins are base64url SHA-256 hashes of SubjectPublicKeyInfo (DER). */
export interface TrustView {
  readonly mesh: MeshId;
  readonly self: NodeId;
  readonly peers: readonly { readonly id: NodeId; readonly name: string; readonly pin: string }[];
  /** PEM certificates of the trusted roots. */
  readonly roots: readonly string[];
  /**
   * PEM certificates of the keys that may issue now. A peer may show an older one of the same key, by a
   * root that is gone: what such a key has issued leads to a root by these as well.
   */
  readonly issuers: readonly string[];
  /** Where joins are relayed to; undefined on the keymaster itself. */
  readonly keymaster?: { readonly id: NodeId; readonly addresses: readonly Address[] };
  /**
   * The signed roster: proof to whom the mesh has certified once and does not hold now, because it was
   * removed or because the keymaster that let it in has lost.
   */
  readonly dismissal?: string;
  /** Pins of the keys that were removed, and may be told. */
  readonly removed?: readonly string[];
  /**
   * Pins of keys that are told nothing: those that somebody else may hold, and the signer's, all of whose
   * certificates are members' or removed. Others' certificates by such a key are told nothing either.
   */
  readonly untold?: readonly string[];
}

/** Sessions and datagrams among pinned peers, one session a pair. */
export interface PeerTransport {
  /** Binds every own address; fails with `address-in-use` or `address-invalid` naming the address. */
  listen(addresses: readonly Address[]): Promise<void>;
  /** Takes effect at once: sessions of peers that are no longer pinned are closed, their datagram keys dropped. */
  trust(view: TrustView): void;
  /** From now on connections are made and accepted with this certificate of the same key; those that stand go on. */
  present(certificatePem: string): void;
  /** One attempt at one address; the outcome is an event. Ignored while an attempt to it is under way. */
  dial(peer: NodeId, address: Address): void;
  /** Best effort. A datagram too large for its plane goes over the stream. */
  send(peer: NodeId, plane: Plane, envelope: Envelope): void;
  /** Closes the session so that the peer sees an orderly end. */
  hangUp(peer: NodeId): void;
  close(): Promise<void>;
}
