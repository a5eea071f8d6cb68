import { once } from "node:events";
import { createServer } from "node:net";
import { connect } from "node:tls";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { CLIENT_HELLO_BYTES_MAX, readAlpn } from "./client-hello.ts";

const RECORD_HEADER_BYTES = 5;

/** What a real TLS stack sends first. */
async function realClientHello(ALPNProtocols?: string[]): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const client = connect({
    port,
    host: "127.0.0.1",
    ...(ALPNProtocols === undefined ? {} : { ALPNProtocols }),
  });
  client.on("error", () => {});
  const [socket] = await once(server, "connection");
  const [bytes] = await once(socket, "data");
  socket.destroy();
  client.destroy();
  server.close();
  return bytes;
}

/** The same handshake message in records of this many bytes. */
function recut(hello: Buffer, size: number): Buffer {
  const body = hello.subarray(RECORD_HEADER_BYTES);
  const records: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

const names = (bytes: Uint8Array): readonly string[] | string => {
  const reading = readAlpn(bytes);
  if (!reading.ok) return reading.error.code;
  return reading.value.state === "complete" ? reading.value.names : "incomplete";
};

let hello: Buffer;
beforeAll(async () => {
  hello = await realClientHello(["balefire/1", "h2"]);
});

describe("a real ClientHello", () => {
  it("gives its names in order, none if it has none", async () => {
    expect(names(hello)).toEqual(["balefire/1", "h2"]);
    expect(names(await realClientHello())).toEqual([]);
  });
  it("is awaited at every cut, asking for more than there is", () => {
    for (let length = 0; length < hello.length; length += 1) {
      const reading = readAlpn(hello.subarray(0, length));
      if (!reading.ok || reading.value.state === "complete") throw new Error(`not awaited at ${length}`);
      expect(reading.value.bytesNeeded).toBeGreaterThan(length);
      expect(reading.value.bytesNeeded).toBeLessThanOrEqual(hello.length);
    }
  });
  it.each([1, 3, 100])("is understood in records of %i bytes", (size) => {
    expect(names(recut(hello, size))).toEqual(["balefire/1", "h2"]);
  });
  it("may be followed by more", () => {
    expect(names(Buffer.concat([hello, Buffer.alloc(50, 0xff)]))).toEqual(["balefire/1", "h2"]);
  });
});

describe("anything else", () => {
  it.each([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n")],
    ["SSH", Buffer.from("SSH-2.0-OpenSSH_9.9\r\n")],
    ["an alert", Buffer.from([21, 3, 3, 0, 2, 1, 0])],
    ["a ServerHello", Buffer.from([22, 3, 3, 0, 4, 2, 0, 0, 0])],
    ["an empty record", Buffer.from([22, 3, 1, 0, 0])],
    ["a record longer than TLS has", Buffer.from([22, 3, 1, 0xff, 0xff])],
    ["a hello of nothing", Buffer.from([22, 3, 1, 0, 4, 1, 0, 0, 0])],
  ])("%s is refused at once", (_what, bytes) => {
    expect(names(bytes)).toBe("protocol-violation");
  });

  it("a hello that announces more than the limit is refused before it comes", () => {
    expect(names(Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0x40, 0]))).toBe("limit-reached");
    const endless = recut(
      Buffer.concat([Buffer.alloc(5), Buffer.from([1, 0, 0x1f, 0]), Buffer.alloc(9000)]),
      1,
    );
    expect(names(endless.subarray(0, CLIENT_HELLO_BYTES_MAX + 100))).toBe("limit-reached");
  });

  it("never throws and never asks for bytes past the limit", () => {
    const damaged = fc
      .tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }), fc.nat())
      .map(([at, patch, length]) => {
        const bytes = Buffer.from(hello);
        bytes.set(patch.subarray(0, Math.max(0, bytes.length - (at % bytes.length))), at % bytes.length);
        return bytes.subarray(0, length % (bytes.length + 1));
      });
    const framed = fc
      .uint8Array({ maxLength: 300 })
      .map((body) => recut(Buffer.concat([Buffer.alloc(5), body]), 97));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), damaged, framed), (bytes) => {
        const reading = readAlpn(bytes);
        if (!reading.ok || reading.value.state === "complete") return;
        expect(reading.value.bytesNeeded).toBeGreaterThan(bytes.length);
        expect(reading.value.bytesNeeded).toBeLessThanOrEqual(CLIENT_HELLO_BYTES_MAX);
      }),
      { numRuns: 2000 },
    );
  });
});
