import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FAR, NEAR, type TwoHosts, twoHosts, whyNoNamespaces } from "../../../test/contract/prober-hosts.ts";
import type { Uplink } from "../../core/types.ts";
import type { Uplinks } from "../../ports/uplinks.ts";
import type { Knock } from "./gateways.ts";
import { createUplinks, type Held } from "./linux-uplinks.ts";

const MODULE = new URL("./linux-uplinks.ts", import.meta.url).href;
const reason = whyNoNamespaces();

const ROUTE_HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
const ARP_HEAD = "IP address       HW type     Flags       HW address            Mask     Device\n";
const arpLine = (ip: string, flags: string, device: string): string =>
  `${ip}         0x1         ${flags}         52:54:00:12:35:02     *        ${device}\n`;

describe("on a made tree", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "balefire-uplinks-"));
    mkdirSync(join(root, "proc/net"), { recursive: true });
    knocks = {};
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const proc = (file: string, text: string): void => writeFileSync(join(root, "proc/net", file), text);
  interface Interface {
    readonly carrier: "0" | "1";
    readonly lower?: readonly string[];
    readonly is?: "bridge" | "bonding" | "device";
  }
  const interfaceOf = (name: string, { carrier, lower = [], is }: Interface): void => {
    const folder = join(root, "sys/class/net", name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "carrier"), `${carrier}\n`);
    for (const below of lower) mkdirSync(join(folder, `lower_${below}`), { recursive: true });
    if (is !== undefined) mkdirSync(join(folder, is), { recursive: true });
  };
  /** What each gateway does when it is knocked at. */
  let knocks: Record<string, Knock> = {};
  const uplinksOn = (running: () => readonly Held[]): Uplinks =>
    createUplinks({
      sysRoot: join(root, "sys"),
      procRoot: join(root, "proc"),
      running,
      knock: ({ host }) => Promise.resolve(knocks[host] ?? "silence"),
    });
  const look = (own: string[], running: readonly Held[]): Promise<Uplink> =>
    uplinksOn(() => running).look(own);
  const on = (name: string): Held[] => [{ ip: "10.0.0.5", name }];
  const OWN = ["10.0.0.5:7654"];

  const routeBy = (name: string, hex = "0100000A"): string =>
    `${name}\t00000000\t${hex}\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`;

  it.each<[Knock, string, string]>([
    ["answered", "0x2", "answers"],
    ["unreachable", "0x2", "does not answer"],
    ["silence", "0x0", "does not answer"],
    ["silence", "0x2", "does not answer, nor did it before"],
  ])("a gateway whose door brings %s, with the neighbour flags %s, %s", async (knock, flags, words) => {
    interfaceOf("eth0", { carrier: "1" });
    proc("route", ROUTE_HEAD + routeBy("eth0"));
    proc("arp", ARP_HEAD + arpLine("10.0.0.1", "0x0", "eth9") + arpLine("10.0.0.1", flags, "eth0"));
    knocks = { "10.0.0.1": knock };
    // What has never answered proves nothing by its silence.
    expect(await look(OWN, on("eth0"))).toEqual({
      up: true,
      detail: `eth0: carrier, gateway 10.0.0.1 ${words}`,
    });
  });

  it("is down when the gateway that has answered before does not any more, and up when it does again", async () => {
    interfaceOf("eth0", { carrier: "1" });
    proc("route", ROUTE_HEAD + routeBy("eth0"));
    const uplinks = uplinksOn(() => on("eth0"));
    knocks = { "10.0.0.1": "answered" };
    expect((await uplinks.look(OWN)).up).toBe(true);
    knocks = { "10.0.0.1": "silence" };
    const words = "eth0: carrier, gateway 10.0.0.1 does not answer any more";
    expect(await uplinks.look(OWN)).toEqual({ up: false, detail: words });
    knocks = { "10.0.0.1": "answered" };
    expect((await uplinks.look(OWN)).up).toBe(true);
  });

  it("is up while one of the gateways that have answered still does, over IPv6 too", async () => {
    interfaceOf("eth0", { carrier: "1" });
    interfaceOf("eth1", { carrier: "1" });
    proc("route", ROUTE_HEAD + routeBy("eth0"));
    const zeros = "0".repeat(32);
    const v6 = (hop: string, flags: string): string =>
      `${zeros} 00 ${zeros} 00 ${hop} 00000400 00000001 00000000 ${flags} eth1\n`;
    proc("ipv6_route", v6("fd000007000000000000000000000001", "00000003") + v6(zeros, "00200200"));
    const uplinks = uplinksOn(() => on("eth0"));
    knocks = { "10.0.0.1": "answered", "fd00:7::1": "answered" };
    await uplinks.look(OWN);
    knocks = { "fd00:7::1": "answered" };
    expect(await uplinks.look(OWN)).toEqual({
      up: true,
      detail:
        "eth0: carrier, gateway 10.0.0.1 does not answer any more; eth1: carrier, gateway fd00:7::1 answers",
    });
    knocks = {};
    expect((await uplinks.look(OWN)).up).toBe(false);
  });

  it("a gateway of another interface is not this one's", async () => {
    interfaceOf("eth0", { carrier: "1" });
    proc("route", `${ROUTE_HEAD}wan0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`);
    expect((await look(OWN, on("eth0"))).detail).toBe("eth0: carrier; wan0: no carrier");
  });

  it("is down only when every interface with a mesh address has lost carrier", async () => {
    interfaceOf("eth0", { carrier: "0" });
    interfaceOf("eth1", { carrier: "1" });
    const both = [...on("eth0"), { ip: "10.1.0.5", name: "eth1" }];
    const own = [...OWN, "10.1.0.5:7654"];
    expect(await look(own, both)).toEqual({ up: true, detail: "eth0: no carrier; eth1: carrier" });
    interfaceOf("eth1", { carrier: "0" });
    expect(await look(own, both)).toEqual({ up: false, detail: "eth0: no carrier; eth1: no carrier" });
  });

  it("is up while the way to the gateway is, though the mesh has a cable of its own", async () => {
    interfaceOf("eth0", { carrier: "0" });
    interfaceOf("eth1", { carrier: "1" });
    proc("route", `${ROUTE_HEAD}eth1\t00000000\t0101000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`);
    knocks = { "10.0.1.1": "answered" };
    expect(await look(OWN, on("eth0"))).toEqual({
      up: true,
      detail: "eth0: no carrier; eth1: carrier, gateway 10.0.1.1 answers",
    });
  });

  it("an interface with neither a mesh address nor a default route does not count", async () => {
    interfaceOf("eth0", { carrier: "0" });
    interfaceOf("eth1", { carrier: "1" });
    const running = [...on("eth0"), { ip: "10.1.0.5", name: "eth1" }];
    expect((await look(OWN, running)).up).toBe(false);
  });

  it("remembers who held the address when the interface runs no more", async () => {
    interfaceOf("eth0", { carrier: "1" });
    let running = on("eth0");
    const uplinks = uplinksOn(() => running);
    running = [];
    interfaceOf("eth0", { carrier: "0" });
    expect(await uplinks.look(OWN)).toEqual({ up: false, detail: "eth0: no carrier" });
  });

  it("knows the interface by its network when it has not run since the start", async () => {
    interfaceOf("eth1", { carrier: "0" });
    const wide = "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n";
    const narrow = "eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
    proc("route", ROUTE_HEAD + wide + narrow);
    expect(await look(OWN, [])).toEqual({ up: false, detail: "eth1: no carrier" });
  });

  it("knows the interface of an IPv6 address, however it is written", async () => {
    interfaceOf("eth6", { carrier: "1" });
    proc("if_inet6", "fd000007000000000000000000000005 02 40 00 80     eth6\n");
    expect((await look(["[FD00:7:0::5]:7654"], [])).detail).toBe("eth6: carrier");
    expect((await look(["[fd00:7::5]:7654"], [{ ip: "fd00:7:0:0::5", name: "eth6" }])).detail).toBe(
      "eth6: carrier",
    );
  });

  it("asks no gateway while the mesh does not leave this host", async () => {
    interfaceOf("lo", { carrier: "1" });
    proc("route", ROUTE_HEAD + routeBy("eth0"));
    expect(await look(["127.0.0.1:7654"], [{ ip: "127.0.0.1", name: "lo" }])).toEqual({
      up: true,
      detail: "lo: carrier",
    });
  });

  it("says so when no interface holds the address", async () => {
    expect(await look(OWN, [])).toEqual({ up: false, detail: "no interface holds 10.0.0.5" });
    expect(await look([], [])).toEqual({ up: false, detail: "no address to look at" });
  });

  it("does not believe the carrier that running guests give to a bridge", async () => {
    interfaceOf("vmbr0", { carrier: "1", is: "bridge", lower: ["eno1", "tap100i0", "fwpr101p0"] });
    interfaceOf("eno1", { carrier: "0", is: "device" });
    interfaceOf("tap100i0", { carrier: "1" });
    interfaceOf("fwpr101p0", { carrier: "1" });
    expect(await look(OWN, on("vmbr0"))).toEqual({ up: false, detail: "vmbr0: no carrier" });
    interfaceOf("eno1", { carrier: "1", is: "device" });
    expect((await look(OWN, on("vmbr0"))).up).toBe(true);
  });

  it("follows a VLAN on a bridge on a bond down to the bond", async () => {
    interfaceOf("vmbr0.20", { carrier: "1", lower: ["vmbr0"] });
    interfaceOf("vmbr0", { carrier: "1", is: "bridge", lower: ["bond0", "tap100i0"] });
    interfaceOf("tap100i0", { carrier: "1" });
    interfaceOf("bond0", { carrier: "0", is: "bonding", lower: ["eno1", "eno2"] });
    expect((await look(OWN, on("vmbr0.20"))).up).toBe(false);
    interfaceOf("bond0", { carrier: "1", is: "bonding" });
    expect((await look(OWN, on("vmbr0.20"))).up).toBe(true);
  });

  it("takes a bridge without any way out at its word", async () => {
    interfaceOf("vmbr1", { carrier: "1", is: "bridge", lower: ["tap100i0"] });
    interfaceOf("tap100i0", { carrier: "1" });
    expect((await look(OWN, on("vmbr1"))).up).toBe(true);
  });

  it("ends on interfaces that stand on one another", async () => {
    interfaceOf("a", { carrier: "1", lower: ["b"] });
    interfaceOf("b", { carrier: "1", lower: ["a"] });
    expect((await look(OWN, on("a"))).up).toBe(true);
  });
});

it("finds loopback up on this machine", async () => {
  expect(await createUplinks().look(["127.0.0.1:7654", "[::1]:7654"])).toMatchObject({
    up: true,
    detail: expect.stringMatching(/^lo: carrier/),
  });
});

describe.skipIf(reason !== undefined)(
  `in a real namespace${reason === undefined ? "" : ` (${reason})`}`,
  () => {
    let hosts: TwoHosts;
    beforeEach(() => {
      hosts = twoHosts();
    });
    afterEach(() => hosts.close());

    /** `ip netns exec` gives the namespace its own /sys, and /proc/net follows the process. */
    const look = (between = ""): Uplink =>
      JSON.parse(
        hosts.run(`
        const { createUplinks } = await import(${JSON.stringify(MODULE)});
        const uplinks = createUplinks();
        ${between}
        console.log(JSON.stringify(await uplinks.look(["${NEAR.ip}:7654"])));`),
      );

    const GATEWAY = `near0: carrier, gateway ${FAR.ip}`;
    const viaFar = (): void => void hosts.ip(hosts.near, "route", "add", "default", "via", FAR.ip);

    it("sees carrier, and the gateway's answer", () => {
      expect(look()).toEqual({ up: true, detail: "near0: carrier" });
      viaFar();
      expect(look()).toEqual({ up: true, detail: `${GATEWAY} answers` });
    });

    it("sees that nobody has the gateway's address", () => {
      hosts.ip(hosts.near, "route", "add", "default", "via", "10.99.0.77");
      expect(look()).toEqual({
        up: true,
        detail: "near0: carrier, gateway 10.99.0.77 does not answer",
      });
    });

    it("takes a gateway's silence for its own deafness only if that gateway has ever answered", () => {
      viaFar();
      const drop = "table inet test {\nchain a {\ntype filter hook input priority 0;\ndrop\n}\n}";
      hosts.filter("tcp dport 9 drop");
      expect(look()).toEqual({ up: true, detail: `${GATEWAY} does not answer, nor did it before` });
      hosts.ip(hosts.far, "netns", "exec", hosts.far, "nft", "flush", "ruleset");
      const learnAndGoDeaf = `
        await uplinks.look(["${NEAR.ip}:7654"]);
        (await import("node:child_process")).spawnSync("nft", ["-f", "-"], { input: ${JSON.stringify(drop)} });`;
      expect(look(learnAndGoDeaf)).toEqual({ up: false, detail: `${GATEWAY} does not answer any more` });
    });

    it("sees that the cable is cut, whether it was connected at the start or not", () => {
      expect(
        look(
          `(await import("node:child_process")).spawnSync("ip", ["-n", "${hosts.far}", "link", "set", "${FAR.device}", "down"]);`,
        ),
      ).toEqual({
        up: false,
        detail: "near0: no carrier",
      });
      expect(look()).toEqual({ up: false, detail: "near0: no carrier" });
    });

    it("sees that the interface was switched off", () => {
      expect(
        look(
          `(await import("node:child_process")).spawnSync("ip", ["link", "set", "${NEAR.device}", "down"]);`,
        ),
      ).toEqual({
        up: false,
        detail: "near0: no carrier",
      });
    });

    it("sees that the only port of a real bridge is cut", async () => {
      const { near, ip } = hosts;
      ip(near, "address", "flush", "dev", NEAR.device);
      ip(near, "link", "add", "vmbr0", "type", "bridge");
      ip(near, "link", "set", NEAR.device, "master", "vmbr0");
      ip(near, "address", "add", `${NEAR.ip}/24`, "dev", "vmbr0");
      ip(near, "link", "set", "vmbr0", "up");
      expect(look()).toEqual({ up: true, detail: "vmbr0: carrier" });
      ip(hosts.far, "link", "set", FAR.device, "down");
      // The kernel tells a bridge of its ports once a second at most.
      await expect.poll(() => look(), { timeout: 5000 }).toEqual({ up: false, detail: "vmbr0: no carrier" });
    });
  },
);
