import type { Envelope, Plane } from "../core/messages.ts";
import type { Address, MeshId, NodeId } from "../core/types.ts";
import type { Failure } from "../kit/result.ts";
import type { Instant } from "../kit/time.ts";

/** Whom the roster lets in; pins are base64url SHA-256 hashes of SubjectPublicKeyInfo (DER). */
export interface TrustView {
  readonly mesh: MeshId;
  readonly self: NodeId;
  readonly peers: readonly { readonly id: NodeId; readonly name: string; readonly pin: string }[];
  /** PEM certificates of the trusted roots. */
  readonly roots: readonly string[];
  /** Where joins are relayed to; undefined on the keymaster itself. */
  readonly keymaster?: { readonly id: NodeId; readonly addresses: readonly Address[] };
}

/** Why a session ended. Only `reset` is a reason for suspicion. */
export type SessionEnd = "goodbye" | "reset" | "replaced" | "revoked" | "local";

export type TransportEvent =
  | {
      readonly type: "session-up";
      readonly peer: NodeId;
      readonly session: string;
      readonly address: Address;
      /** When the peer's certificate ends (ms since 1970), and whether it is outside its validity now. */
      readonly certificateExpires: number;
      readonly certificateFlagged: boolean;
    }
  | { readonly type: "session-down"; readonly peer: NodeId; readonly session: string; readonly end: SessionEnd }
  | {
      readonly type: "received";
      readonly peer: NodeId;
      readonly session: string;
      readonly plane: Plane;
      readonly envelope: Envelope;
      readonly at: Instant;
    }
  | { readonly type: "dial-failed"; readonly peer: NodeId; readonly address: Address; readonly reason: string }
  /** A connection or datagram that was turned away; counted, shown by doctor, never fatal. */
  | { readonly type: "refused"; readonly remote: string; readonly failure: Failure };

/** Sessions and datagrams among pinned peers, one session a pair. */
export interface PeerTransport {
  /** Binds every own address; fails with `address-in-use` or `address-invalid` naming the address. */
  listen(addresses: readonly Address[]): Promise<void>;
  /** Takes effect at once: sessions of peers that are no longer pinned are closed, their datagram keys dropped. */
  trust(view: TrustView): void;
  /** One attempt at one address; the outcome is an event. Ignored while an attempt to it is under way. */
  dial(peer: NodeId, address: Address): void;
  /** Best effort. A datagram too large for its plane goes over the stream. */
  send(peer: NodeId, plane: Plane, envelope: Envelope): void;
  /** Closes the session so that the peer sees an orderly end. */
  hangUp(peer: NodeId): void;
  close(): Promise<void>;
}
