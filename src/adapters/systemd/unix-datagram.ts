/**
 * Sends datagrams to a Unix socket, for which Node has no API: unix(7), sendto(2), called through
 * koffi. The library is loaded only by a process that has such a socket to talk to.
 */
import { createRequire } from "node:module";
import { failure, ok, type Result } from "../../kit/result.ts";

/** asm-generic/socket.h and fcntl.h, as x86-64 and arm64 use them. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** `sun_path` of `struct sockaddr_un`. */
const PATH_BYTES_MAX = 108;

export interface DatagramSender {
  /** Never blocks: a receiver with a full queue is a failure. */
  send(text: string): Result<void>;
}

interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  sendto(fd: number, data: Uint8Array, bytes: number, flags: number, to: Uint8Array, toBytes: number): number;
  errno(): number;
}

type Koffi = typeof import("koffi");

function loadLibc(): Libc {
  const koffi = createRequire(import.meta.url)("koffi") as Koffi;
  // The libc this process already has.
  const library = koffi.load(null);
  return {
    socket: library.func("int socket(int, int, int)") as Libc["socket"],
    sendto: library.func(
      "intptr_t sendto(int, const uint8_t *, size_t, int, const uint8_t *, uint32_t)",
    ) as Libc["sendto"],
    errno: () => koffi.errno(),
  };
}

/** `path` is absolute, or begins with @ for an abstract name. */
export function openDatagrams(path: string): Result<DatagramSender> {
  const to = socketAddress(path);
  if (!to.ok) return to;
  const libc = loadLibc();
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failure("internal", `no Unix socket can be opened (errno ${libc.errno()})`);
  return ok({
    send: (text) => {
      const data = Buffer.from(text);
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      if (libc.sendto(fd, data, data.length, flags, to.value, to.value.length) === data.length)
        return ok(undefined);
      return failure(
        "internal",
        `no message can be sent to ${path} (errno ${libc.errno()})`,
        undefined,
        true,
      );
    },
  });
}

/** `struct sockaddr_un`: the family in host order (little-endian on both platforms), then the name. */
function socketAddress(path: string): Result<Buffer> {
  const abstract = path.startsWith("@");
  if (!abstract && !path.startsWith("/")) {
    return failure(
      "config-invalid",
      `NOTIFY_SOCKET=${path} is neither an absolute path nor an abstract name (@…)`,
    );
  }
  // An abstract name begins with a zero byte and ends where the address ends; a path ends with a zero byte.
  const name = Buffer.from(abstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > PATH_BYTES_MAX) return failure("config-invalid", `NOTIFY_SOCKET=${path} is too long`);
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return ok(Buffer.concat([family, name]));
}
