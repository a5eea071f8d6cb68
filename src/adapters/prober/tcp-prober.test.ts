import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FAR, NEAR, type TwoHosts, twoHosts, whyNoNamespaces } from "../../../test/contract/prober-hosts.ts";
import { ms } from "../../kit/time.ts";
import { createProber } from "./tcp-prober.ts";

const MODULE = new URL("./tcp-prober.ts", import.meta.url).href;
const reason = whyNoNamespaces();

it("can be tested in namespaces under CI=true", () => {
  if (process.env.CI === "true") expect(reason).toBeUndefined();
});

it("leaves from the own address nearest to its target, and hangs up with a reset", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.2");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const ended = new Promise<{ from: string | undefined; code: string | undefined }>((resolve) => {
    server.once("connection", (socket) => {
      const from = socket.remoteAddress;
      socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve({ from, code }));
    });
  });
  const own = ["10.0.0.1:1", "127.0.0.77:1", "127.128.0.1:1", "[::1]:1"];
  expect(await createProber({ own }).probe(`127.0.0.2:${port}`, ms(1000))).toBe("accepted");
  expect(await ended).toEqual({ from: "127.0.0.77", code: "ECONNRESET" });
  server.close();
});

it("finds a host silent when its own address is gone", async () => {
  expect(await createProber({ own: ["192.0.2.7:1"] }).probe("127.0.0.2:9", ms(200))).toBe("silent");
});

describe.skipIf(reason !== undefined)(
  `between two hosts${reason === undefined ? "" : ` (${reason})`}`,
  () => {
    let hosts: TwoHosts;
    beforeEach(() => {
      hosts = twoHosts();
    });
    afterEach(() => hosts.close());

    const probe = (patience = 400): string =>
      hosts.run(`
      const { createProber } = await import(${JSON.stringify(MODULE)});
      console.log(await createProber({ own: ["${NEAR.ip}:7654"] }).probe("${FAR.ip}:7654", ${patience}));`);

    it("a kernel without a listener refuses", () => {
      expect(probe()).toBe("refused");
    });

    it("a listener accepts", async () => {
      const listen = `require("node:net").createServer((s) => s.on("error", () => {})).listen(7654, () => console.log("ready"))`;
      const argv = ["netns", "exec", hosts.far, process.execPath, "-e", listen];
      const listener = spawn("ip", argv, { stdio: ["ignore", "pipe", "inherit"] });
      await once(listener.stdout, "data");
      expect(probe()).toBe("accepted");
      listener.kill();
      await once(listener, "close");
    });

    it("a host whose cable is cut is silent", () => {
      hosts.ip(hosts.far, "link", "set", FAR.device, "down");
      expect(probe()).toBe("silent");
    });

    it("a host is silent when this one's own cable is cut", () => {
      hosts.ip(hosts.near, "link", "set", NEAR.device, "down");
      expect(probe()).toBe("silent");
    });

    it("one lost SYN does not make a host silent", () => {
      // The quota is used up by the first SYN.
      hosts.filter("tcp dport 7654 quota until 30 bytes drop");
      expect(probe(600)).toBe("refused");
    });

    it("leaves no attempt behind when its patience is over", () => {
      hosts.filter("tcp dport 7654 drop");
      const left = hosts.run(`
        const { createProber } = await import(${JSON.stringify(MODULE)});
        await createProber({ own: [] }).probe("${FAR.ip}:7654", 100);
        await new Promise((resolve) => setTimeout(resolve, 20));
        const kinds = process.getActiveResourcesInfo();
        console.log(kinds.filter((kind) => /TCP|Timeout/.test(kind)).length);`);
      expect(left).toBe("0");
    });

    it.each([
      ["drop", "silent"],
      ["reject with tcp reset", "refused"],
      ["reject with icmp type port-unreachable", "refused"],
      ["reject with icmp type host-unreachable", "silent"],
      ["reject with icmp type net-unreachable", "silent"],
      ["reject with icmp type prot-unreachable", "silent"],
      ["reject with icmp type net-prohibited", "silent"],
      ["reject with icmp type host-prohibited", "silent"],
      ["reject with icmp type admin-prohibited", "silent"],
    ])("a firewall's %s makes it %s", (verdict, outcome) => {
      hosts.filter(`tcp dport 7654 ${verdict}`);
      expect(probe()).toBe(outcome);
    });
  },
);
