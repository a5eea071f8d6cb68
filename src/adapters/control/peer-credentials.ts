/** Who is at the other end of a Unix socket, from the kernel: unix(7), SO_PEERCRED. */
import type { Socket } from "node:net";
import koffi from "koffi";

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** asm-generic/socket.h, as x86-64 and arm64 use it. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** `struct ucred`: pid, uid, gid, 32 bits each. */
const UCRED_BYTES = 12;

type GetSockOpt = (fd: number, level: number, option: number, value: Uint8Array, length: number[]) => number;

let loaded: GetSockOpt | undefined;

/** `getsockopt` of the libc this process already has; declared once. */
function getsockopt(): GetSockOpt {
  loaded ??= koffi
    .load(null)
    .func("int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint32_t *)") as GetSockOpt;
  return loaded;
}

/** Undefined when the kernel does not say (the socket is closed already): treat it as a stranger. */
export function peerCredentials(socket: Socket): PeerCredentials | undefined {
  // Node offers no public way to a socket's descriptor; `_handle.fd` has been there since 0.x.
  const fd = (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd;
  if (fd === undefined || fd < 0) return undefined;
  const credentials = Buffer.alloc(UCRED_BYTES);
  const length = [UCRED_BYTES];
  if (getsockopt()(fd, SOL_SOCKET, SO_PEERCRED, credentials, length) !== 0) return undefined;
  if (length[0] !== UCRED_BYTES) return undefined;
  return {
    pid: credentials.readInt32LE(0),
    uid: credentials.readUInt32LE(4),
    gid: credentials.readUInt32LE(8),
  };
}
