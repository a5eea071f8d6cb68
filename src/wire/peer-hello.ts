/** The two control frames of a session: the hello that opens it and the bye that ends it (docs/protocol.md). */
import * as z from "zod";
import { failure, ok, type Result } from "../kit/result.ts";
import { parseJsonObject } from "./envelope.ts";

/** The oldest and newest protocol version this release speaks. */
export const PROTOCOL_VERSIONS: VersionRange = { min: 1, max: 1 };
/** A hello and a bye are small; anything longer is refused before it is read. */
export const CONTROL_FRAME_BYTES_MAX: number = 4096;

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

export interface Hello {
  readonly versions: VersionRange;
  /** Drawn when the sender's process started: another one means that the peer restarted. */
  readonly life: string;
  /** Where the sender receives datagrams, at the address this connection has. */
  readonly udpPort: number;
  /** The last session with this receiver that has ended for the sender, so that neither clings to it. */
  readonly ended?: string;
}

/**
 * Why the sender ends the session. `stop`: its process ends on purpose. `hang-up`: this
 * session only. `replaced`: another one took its place. `revoked`: the receiver's key is
 * no longer trusted. `version`: no version in common. `violation`: the receiver broke the protocol.
 */
export type ByeReason = "stop" | "hang-up" | "replaced" | "revoked" | "version" | "violation";
const BYE_REASONS: readonly [ByeReason, ...ByeReason[]] = [
  "hang-up",
  "stop",
  "replaced",
  "revoked",
  "version",
  "violation",
];

const token = z.string().regex(/^[0-9a-f]{16,64}$/);
const versionRange: z.ZodType<VersionRange> = z
  .tuple([z.number().int().min(0).max(65_535), z.number().int().min(0).max(65_535)])
  .transform(([min, max]) => ({ min, max }));
const hello: z.ZodType<Omit<Hello, "versions">> = z.object({
  life: token,
  udpPort: z.number().int().min(1).max(65_535),
  ended: token.exactOptional(),
});
const byeReason: z.ZodType<ByeReason> = z.enum(BYE_REASONS).catch("hang-up");

export function encodeHello({ versions, ...rest }: Hello): string {
  return JSON.stringify({ versions: [versions.min, versions.max], ...rest });
}

/** The versions are read before anything else, so that a release we cannot talk to is told apart from garbage. */
export function decodeHello(text: string, own: VersionRange = PROTOCOL_VERSIONS): Result<Hello> {
  const fields = parseJsonObject(text);
  const versions = versionRange.safeParse(fields?.versions);
  if (!versions.success) return failure("protocol-violation", "the session does not open with a hello");
  if (commonVersion(own, versions.data) === undefined) {
    return failure(
      "version-unsupported",
      `it speaks protocol ${range(versions.data)}, this release ${range(own)}`,
      "Upgrade the node with the older release.",
    );
  }
  const rest = hello.safeParse(fields);
  if (!rest.success) return failure("protocol-violation", "the session's hello is malformed");
  return ok({ versions: versions.data, ...rest.data });
}

export const encodeBye = (reason: ByeReason): string => JSON.stringify({ reason });

/** An unknown or unreadable reason still is an orderly end. */
export const decodeBye = (text: string): ByeReason => byeReason.parse(parseJsonObject(text)?.reason);

/** The newest version both speak. */
export function commonVersion(own: VersionRange, other: VersionRange): number | undefined {
  const newest = Math.min(own.max, other.max);
  return newest >= Math.max(own.min, other.min) ? newest : undefined;
}

const range = ({ min, max }: VersionRange): string => (min === max ? `${min}` : `${min} to ${max}`);
