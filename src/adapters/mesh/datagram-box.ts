/**
 * Seals and opens the datagrams of one session (layout in docs/protocol.md): AES-256-GCM,
 * keys from the TLS connection's exporter (RFC 8446 section 7.5), one per direction because
 * both ends compute the same output and one key would meet the same nonce twice.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { ReplayWindow } from "./replay-window.ts";

/** Magic and version of the layout in one byte. */
export const DATAGRAM_MAGIC = 0xb1;
export const SESSION_ID_BYTES = 8;
const COUNTER_BYTES = 8;
export const DATAGRAM_HEADER_BYTES: number = 1 + SESSION_ID_BYTES + COUNTER_BYTES;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
/** All of the UDP payload: fits the smallest IPv6 packet (1280) inside a tunnel's. */
export const DATAGRAM_BYTES_MAX = 1200;
export const DATAGRAM_PLAINTEXT_BYTES_MAX: number = DATAGRAM_BYTES_MAX - DATAGRAM_HEADER_BYTES - TAG_BYTES;
/** Far below what AES-GCM allows one key with counted nonces (NIST SP 800-38D section 8.3); then the stream serves. */
const SEALED_MAX = 2 ** 32;
const COUNTER_HIGH_MAX = 2 ** 20;

const LABEL_SESSION = "EXPORTER-balefire-session";
const LABEL_DATAGRAM = "EXPORTER-balefire-datagram";
/** In TLS 1.3 an empty context and none are the same. */
const NO_CONTEXT = Buffer.alloc(0);

export type Role = "client" | "server";

/** The part of a TLS connection that keys come from. */
export interface Exporter {
  exportKeyingMaterial(length: number, label: string, context: Buffer): Buffer;
}

/** Why a datagram was not opened. */
export type Unopened = "closed" | "malformed" | "replayed" | "forged";

interface DirectionKey {
  readonly key: KeyObject;
  readonly salt: Buffer;
}

function directionKey(exporter: Exporter, sender: Role): DirectionKey {
  const material = exporter.exportKeyingMaterial(
    KEY_BYTES + NONCE_BYTES,
    `${LABEL_DATAGRAM} ${sender}`,
    NO_CONTEXT,
  );
  const key = createSecretKey(material.subarray(0, KEY_BYTES));
  const salt = Buffer.from(material.subarray(KEY_BYTES));
  material.fill(0);
  return { key, salt };
}

/** The 16 hex digits that name a session at both ends. */
export const sessionName = (exporter: Exporter): string =>
  exporter.exportKeyingMaterial(SESSION_ID_BYTES, LABEL_SESSION, NO_CONTEXT).toString("hex");

/** The session a datagram claims to belong to; undefined when it is none of ours by its shape. */
export function claimedSession(packet: Buffer): string | undefined {
  if (packet[0] !== DATAGRAM_MAGIC || packet.length > DATAGRAM_BYTES_MAX) return undefined;
  if (packet.length < DATAGRAM_HEADER_BYTES + TAG_BYTES) return undefined;
  return packet.toString("hex", 1, 1 + SESSION_ID_BYTES);
}

/** TLS 1.3's way (RFC 8446 section 5.3): the counter, padded to the left, xor the salt. */
function nonceFor(salt: Buffer, counter: number): Buffer {
  const nonce = Buffer.from(salt);
  const high = Math.floor(counter / 2 ** 32);
  nonce.writeUInt32BE((nonce.readUInt32BE(4) ^ high) >>> 0, 4);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ counter) >>> 0, 8);
  return nonce;
}

export class DatagramBox {
  readonly session: string;
  readonly #id: Buffer;
  readonly #window = new ReplayWindow();
  #sending: DirectionKey | undefined;
  #receiving: DirectionKey | undefined;
  #sealed = 0;

  constructor(exporter: Exporter, role: Role) {
    this.session = sessionName(exporter);
    this.#id = Buffer.from(this.session, "hex");
    this.#sending = directionKey(exporter, role);
    this.#receiving = directionKey(exporter, role === "client" ? "server" : "client");
  }

  /** Undefined when the box is closed, used up, or the payload does not fit. */
  seal(payload: Buffer): Buffer | undefined {
    const sending = this.#sending;
    if (sending === undefined || this.#sealed >= SEALED_MAX) return undefined;
    if (payload.length > DATAGRAM_PLAINTEXT_BYTES_MAX) return undefined;
    const packet = Buffer.allocUnsafe(DATAGRAM_HEADER_BYTES + payload.length + TAG_BYTES);
    packet[0] = DATAGRAM_MAGIC;
    this.#id.copy(packet, 1);
    packet.writeUInt32BE(Math.floor(this.#sealed / 2 ** 32), 9);
    packet.writeUInt32BE(this.#sealed >>> 0, 13);
    const cipher = createCipheriv("aes-256-gcm", sending.key, nonceFor(sending.salt, this.#sealed));
    cipher.setAAD(packet.subarray(0, DATAGRAM_HEADER_BYTES));
    cipher.update(payload).copy(packet, DATAGRAM_HEADER_BYTES);
    cipher.final();
    cipher.getAuthTag().copy(packet, packet.length - TAG_BYTES);
    this.#sealed += 1;
    return packet;
  }

  /** Call with a packet for which `claimedSession` gave this session. */
  open(packet: Buffer): Buffer | Unopened {
    const receiving = this.#receiving;
    if (receiving === undefined) return "closed";
    const high = packet.readUInt32BE(9);
    if (high > COUNTER_HIGH_MAX) return "malformed";
    const counter = high * 2 ** 32 + packet.readUInt32BE(13);
    if (!this.#window.isFresh(counter)) return "replayed";
    const decipher = createDecipheriv("aes-256-gcm", receiving.key, nonceFor(receiving.salt, counter), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(packet.subarray(0, DATAGRAM_HEADER_BYTES));
    decipher.setAuthTag(packet.subarray(packet.length - TAG_BYTES));
    const payload = decipher.update(packet.subarray(DATAGRAM_HEADER_BYTES, packet.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      return "forged";
    }
    this.#window.note(counter);
    return payload;
  }

  /** Forgets the keys; nothing is sealed or opened afterwards. */
  close(): void {
    this.#sending = undefined;
    this.#receiving = undefined;
  }
}
