import { connect, createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HealthReport } from "../../wire/health.ts";
import { HTTP_CONNECTIONS_MAX, HttpDoor, type HttpDoorOptions, type HttpDoorState } from "./http-door.ts";
import type { HttpPages } from "./pages.ts";

const REPORT = { schema: 1, status: "ok", problems: [] } as unknown as HealthReport;

class Pages implements HttpPages {
  readonly answered: string[] = [];
  readonly errors: string[] = [];
  code: 200 | 503 = 200;
  broken = false;
  health(): ReturnType<HttpPages["health"]> {
    if (this.broken) throw new Error("/etc/secret is broken");
    return { code: this.code, report: REPORT };
  }
  async metrics(...asked: Parameters<HttpPages["metrics"]>): Promise<string> {
    return `${asked.join(" ")}\n`;
  }
  crl(root: string): string | undefined {
    return root === "r".repeat(43) ? "-----BEGIN X509 CRL-----\n" : undefined;
  }
  hostNames(): readonly string[] {
    return ["localhost", "pve1"];
  }
  onAnswered(path: string, code: number): void {
    this.answered.push(`${path} ${code}`);
  }
  onError(error: Error): void {
    this.errors.push(error.message);
  }
}

let pages: Pages;
let states: HttpDoorState[];
let door: HttpDoor;
const others: Server[] = [];

function openDoor(options: Partial<HttpDoorOptions> = {}): void {
  door = new HttpDoor({ pages, onState: (state) => states.push(state), ...options });
}
beforeEach(() => {
  pages = new Pages();
  states = [];
  openDoor();
});
afterEach(async () => {
  await door.close();
  for (const other of others.splice(0)) await new Promise((resolve) => other.close(resolve));
});

const port = (): number => {
  if (door.state.kind !== "listening") throw new Error(`the door is ${door.state.kind}`);
  return Number(door.state.address.split(":").at(-1));
};

/** Sends these bytes, and gives all that comes until the other side ends. */
const exchange = (request: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port(), "127.0.0.1", () => socket.write(request));
    let received = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      received += text;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(received));
  });
const ask = (line: string, ...headers: string[]): Promise<string> =>
  exchange(`${[`${line} HTTP/1.1`, ...headers].join("\r\n")}\r\n\r\n`);
const get = (path: string, ...headers: string[]): Promise<string> =>
  ask(`GET ${path}`, "Host: localhost", ...headers);
const codeOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);

describe("the pages", () => {
  beforeEach(() => door.open("127.0.0.1:0"));

  it("show health as JSON, with the code that an uptime checker looks at", async () => {
    const well = await get("/health");
    expect(codeOf(well)).toBe(200);
    expect(JSON.parse(well.split("\r\n\r\n")[1] ?? "")).toEqual(REPORT);
    pages.code = 503;
    expect(codeOf(await get("/health"))).toBe(503);
  });

  it("give metrics in the format asked for, and say which", async () => {
    const text = await get("/metrics", "Accept: */*");
    expect(text).toMatch(/^content-type: text\/plain; version=0\.0\.4; charset=utf-8\r$/im);
    expect(text).toMatch(/text mesh\n$/);
    const open = await get("/metrics?readings=own", "Accept: application/openmetrics-text;version=1.0.0");
    expect(open).toMatch(/^content-type: application\/openmetrics-text; version=1\.0\.0; charset=utf-8\r$/im);
    expect(open).toMatch(/openmetrics own\n$/);
  });

  it("answer HEAD as GET, without the body", async () => {
    const answer = await ask("HEAD /metrics", "Host: localhost");
    expect(codeOf(answer)).toBe(200);
    expect(answer).toMatch(/\r\n\r\n$/);
  });

  it("hold each root's revocation lists in PEM, and nothing where there are none", async () => {
    const answer = await get(`/pki/crl/${"r".repeat(43)}.pem`);
    expect(codeOf(answer)).toBe(200);
    expect(answer).toMatch(/^content-type: application\/x-pem-file\r$/im);
    expect(answer.split("\r\n\r\n")[1]).toBe("-----BEGIN X509 CRL-----\n");
    const wrong = ["s".repeat(43), "r".repeat(44), "r".repeat(42), "..%2f..%2f"].map((pin) => `${pin}.pem`);
    for (const name of [...wrong, "r".repeat(43), ""])
      expect(codeOf(await get(`/pki/crl/${name}`))).toBe(404);
    expect(new Set(pages.answered.map((line) => line.split(" ")[0]))).toEqual(new Set(["/pki/crl/"]));
  });

  it("are kept by no cache and run in no page", async () => {
    const answer = await get("/health");
    expect(answer).toMatch(/^cache-control: no-store\r$/im);
    expect(answer).toMatch(/^content-security-policy: default-src 'none'\r$/im);
    expect(answer).toMatch(/^x-content-type-options: nosniff\r$/im);
    expect(answer).not.toMatch(/^access-control/im);
  });

  it("end the connection after one answer, though several were asked for", async () => {
    const one = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const answer = await exchange(one.repeat(3));
    expect(answer).toMatch(/^connection: close\r$/im);
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
  });

  it("are counted by path and code, with one name for all that does not exist", async () => {
    await get("/health");
    await get("/a");
    await get("/b?token=x");
    await ask("POST /metrics", "Host: localhost", "Content-Length: 0");
    expect(pages.answered).toEqual(["/health 200", "other 404", "other 404", "/metrics 405"]);
  });

  it("do not tell what went wrong inside", async () => {
    pages.broken = true;
    const answer = await get("/health");
    expect(codeOf(answer)).toBe(500);
    expect(answer).not.toContain("secret");
    expect(pages.errors).toEqual(["/etc/secret is broken"]);
  });
});

describe("refused is", () => {
  beforeEach(() => door.open("127.0.0.1:0"));

  it.each([
    ["evil.example", 421],
    ["evil.example:7655", 421],
    ["localhost.evil.example", 421],
    ["127.0.0.1.evil.example", 421],
    ["pve1.evil.example", 421],
    ["[::2]", 421],
    ["localhost", 200],
    ["LOCALHOST:7655", 200],
    ["127.0.0.1:1", 200],
    ["127.9.9.9:7655", 200],
    ["10.0.0.1:7655", 421],
    ["[::1]:7655", 200],
    ["pve1", 200],
  ])("a name that is not this host's: %s gets %i", async (host, code) => {
    expect(codeOf(await ask("GET /health", `Host: ${host}`))).toBe(code);
  });

  it("a target that names another host than the header does not help it", async () => {
    expect(codeOf(await ask("GET http://localhost/health", "Host: evil.example"))).toBe(421);
  });

  it("a request without a name", async () => {
    expect(codeOf(await ask("GET /health"))).toBe(400);
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])("%s", async (method) => {
    const answer = await ask(`${method} /health`, "Host: localhost", "Content-Length: 0");
    expect(codeOf(answer)).toBe(405);
    expect(answer).toMatch(/^allow: GET, HEAD\r$/im);
  });

  it("a set of readings that there is not", async () => {
    expect(codeOf(await get("/metrics?readings=%00all"))).toBe(400);
  });

  it("headers beyond all measure", async () => {
    expect(codeOf(await get("/health", `X-Long: ${"x".repeat(10_000)}`))).toBe(431);
  });

  it.each(["\x16\x03\x01\x02\x00\x01", "\0\0\0\0\r\n\r\n", "GET\r\n\r\n"])(
    "what is not HTTP: %j",
    async (bytes) => {
      expect(await exchange(`${bytes}\r\n\r\n`)).not.toContain("200 OK");
      expect(codeOf(await get("/health"))).toBe(200);
    },
  );
});

describe("limits", () => {
  it("end a connection that takes too long, whether it says nothing, drips, or does not read", async () => {
    openDoor({ connectionMsMax: 200 });
    await door.open("127.0.0.1:0");
    expect(await exchange("")).toBe("");
    expect(await exchange("GET /health HTTP/1.1\r\nHost: loc")).toBe("");
    expect(codeOf(await get("/health"))).toBe(200);
  });

  it("hold for the number of connections, and for that moment only", async () => {
    await door.open("127.0.0.1:0");
    const held = Array.from({ length: HTTP_CONNECTIONS_MAX }, () => connect(port(), "127.0.0.1"));
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
    await expect.poll(() => get("/health")).toBe("");
    for (const socket of held) socket.destroy();
    await expect.poll(async () => codeOf(await get("/health"))).toBe(200);
  });
});

describe("the address", () => {
  /** Someone else's port. */
  async function occupied(): Promise<{ readonly address: string; readonly leave: () => Promise<unknown> }> {
    const other = createServer();
    others.push(other);
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const at = other.address();
    if (at === null || typeof at === "string") throw new Error("no port");
    const leave = (): Promise<unknown> =>
      new Promise((resolve) => others.splice(0).forEach((each) => void each.close(resolve)));
    return { address: `127.0.0.1:${at.port}`, leave };
  }

  it("that another process has is said once, and taken when it is free", async () => {
    openDoor({ retryMs: 20 });
    const { address, leave } = await occupied();
    await door.open(address);
    expect(door.state).toMatchObject({
      kind: "failing",
      address,
      failure: { code: "address-in-use", retry: true },
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(states.map(({ kind }) => kind)).toEqual(["failing"]);
    await leave();
    await expect.poll(() => door.state).toEqual({ kind: "listening", address });
    expect(codeOf(await get("/health"))).toBe(200);
  });

  it("can change, and the one before is free again", async () => {
    await door.open("127.0.0.1:0");
    const before = port();
    await door.open("127.0.0.2:0");
    expect(door.state).toMatchObject({ kind: "listening", address: expect.stringMatching(/^127\.0\.0\.2:/) });
    const again = createServer();
    others.push(again);
    await new Promise<void>((resolve, reject) => {
      again.once("error", reject);
      again.listen(before, "127.0.0.1", resolve);
    });
  });

  it("may be none at all", async () => {
    await door.open("127.0.0.1:0");
    const before = port();
    await door.open("off");
    expect(door.state).toEqual({ kind: "off" });
    const refused = await new Promise((resolve) => connect(before, "127.0.0.1").once("error", resolve));
    expect(refused).toMatchObject({ code: "ECONNREFUSED" });
  });

  it.each(["0.0.0.0:0", "[::]:0", "10.0.0.1:7655"])(
    "is never one that others can reach: %s",
    async (listen) => {
      await door.open(listen);
      expect(door.state).toEqual({ kind: "off" });
    },
  );

  it("closes with connections open and leaves nothing that retries", async () => {
    await door.open("127.0.0.1:0");
    const socket = connect(port(), "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const ended = new Promise((resolve) => socket.once("close", resolve));
    await door.close();
    await ended;
    expect(door.state).toEqual({ kind: "off" });
  });
});
