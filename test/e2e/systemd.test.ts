/** Balefire under a real systemd, in a Debian that boots: the shipped unit, and the last word of a host that goes down. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BootedHost, whyNoBoot } from "../../lab/driver/booted-host.ts";
import { CHECKOUT, FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { until } from "../../lab/driver/clock.ts";
import type { Daemon } from "../../lab/driver/daemon.ts";
import { debianRoot } from "../../lab/driver/debian-root.ts";
import { DEFAULT_PORT, Mesh } from "../../lab/driver/mesh.ts";
import { messageIn, tells } from "../../lab/driver/message.ts";
import { namespaceNetwork, whyNoNamespaces } from "../../lab/driver/namespaces.ts";
import type { Delivery } from "../../lab/driver/receiver.ts";
import type { NodeReport, TokenCreateReport } from "../../src/wire/rpc.ts";
import { buildTree, chipFolder, write } from "../fixtures/sysfs/tree.ts";

const WAIT_MS_MAX = 30_000;
const NAME = "pve1";
const HOME = "/opt/balefire";
const SYSFS = "/srv/sysfs";
const CPU = {
  name: "coretemp",
  device: "platform/coretemp.0",
  bus: "platform",
  channels: { temp1: { input: 45000, label: "Package id 0", crit: 105000 } },
} as const;

/** The Debian to boot; else why nothing can be booted, as without a network to get it from. */
async function preparedDebian(): Promise<{ readonly debian: string; readonly reason?: string }> {
  const reason = whyNoBoot() ?? whyNoNamespaces();
  if (reason !== undefined) return { debian: "", reason };
  try {
    return { debian: await debianRoot() };
  } catch (error) {
    return { debian: "", reason: error instanceof Error ? error.message : String(error) };
  }
}
const { debian, reason } = await preparedDebian();

test("a host can be booted under CI=true", () => {
  if (process.env.CI === "true") expect(reason).toBeUndefined();
});

describe.skipIf(reason !== undefined)(`under systemd${reason === undefined ? "" : ` (${reason})`}`, () => {
  const tree = mkdtempSync(join(tmpdir(), "balefire-sysfs-"));
  let mesh: Mesh;
  let a: Daemon;
  let host: BootedHost;

  beforeAll(async () => {
    buildTree(tree, { chips: [CPU] });
    const network = namespaceNetwork(2);
    mesh = await Mesh.form({ names: ["a"], network, balefire: FROM_SOURCE });
    a = mesh.daemon("a");
    host = new BootedHost({
      name: NAME,
      debian,
      namespace: network.namespaceOf(1),
      shown: { ...PROGRAM, [SYSFS]: tree },
    });
    install(host);
    expect(await host.powerOn()).toBe("running");
    const { token } = JSON.parse(await a.cli("token", "create", NAME, "--json")) as TokenCreateReport;
    await inside(
      "balefire",
      "join",
      token,
      "--via",
      a.address,
      "--address",
      `${network.addressOf(1)}:${DEFAULT_PORT}`,
    );
    await inside("systemctl", "enable", "--now", "balefire");
    await seen("it to be watched", ({ verdict }) => verdict === "alive");
  });
  afterAll(async () => {
    await host?.close();
    await mesh?.close();
    rmSync(tree, { recursive: true, force: true });
  });

  const inside = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await host.run(...argv);
    if (code !== 0) throw new Error(`${argv[0]} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  };
  const property = async (name: string): Promise<string> =>
    (await inside("systemctl", "show", "--value", `--property=${name}`, "balefire")).trim();
  /** How `a` sees it, once that is as wanted. */
  const seen = (what: string, wanted: (node: NodeReport) => boolean): Promise<NodeReport> =>
    until(what, WAIT_MS_MAX, async () =>
      (await a.status()).nodes.find((node) => node.name === NAME && wanted(node)),
    );
  const backAlone = (): Promise<NodeReport> =>
    seen("it to come back by itself", ({ verdict, farewell }) => verdict === "alive" && farewell === null);
  const heat = (celsius: number): void =>
    write(tree, `${chipFolder(CPU, 0)}/temp1_input`, String(celsius * 1000));

  describe("the unit", () => {
    test("is ready once it serves, and tells the watchdog", async () => {
      expect(await property("ActiveState")).toBe("active");
      const told = await property("WatchdogTimestampMonotonic");
      await until("the watchdog to be told again", WAIT_MS_MAX, async () =>
        (await property("WatchdogTimestampMonotonic")) === told ? undefined : true,
      );
    });

    test("lets the daemon read sensors, keep its state, answer on its socket, and read its configuration anew", async () => {
      await until("a to know its sensors", WAIT_MS_MAX, async () =>
        (await a.control.call("temps", { node: NAME })).hosts[0]?.cpu?.celsius === 45 ? true : undefined,
      );
      await until("its history to be on its disk", WAIT_MS_MAX, async () =>
        (await host.run("test", "-s", "/var/lib/balefire/history.sqlite")).code === 0 ? true : undefined,
      );
      const status = JSON.parse(await inside("balefire", "status", "--json")) as { problems: string[] };
      expect(status.problems.filter((problem) => !problem.includes("channel"))).toEqual([]);
      await inside("systemctl", "reload", "balefire");
      await until("the configuration to be read again", WAIT_MS_MAX, async () =>
        (await inside("journalctl", "-u", "balefire")).includes("configuration read") ? true : undefined,
      );
      expect((await inside("ls", `/proc/${await property("MainPID")}/root/sys/class`)).split("\n")).toContain(
        "net",
      );
    });

    test("starts it again after a SIGKILL, and when it hangs", async () => {
      await inside("systemctl", "kill", "--signal=SIGKILL", "balefire");
      await until("systemd to have started it again", WAIT_MS_MAX, async () =>
        (await property("NRestarts")) === "1" && (await property("ActiveState")) === "active"
          ? true
          : undefined,
      );
      await inside("systemctl", "kill", "--signal=SIGSTOP", "balefire");
      await until("systemd to have ended it and started it again", WAIT_MS_MAX, async () =>
        (await property("NRestarts")) === "2" && (await property("ActiveState")) === "active"
          ? true
          : undefined,
      );
      await backAlone();
    });
  });

  describe("a last word", () => {
    test("of `systemctl stop balefire` is a stop", async () => {
      await inside("systemctl", "stop", "balefire");
      expect(await seen("its goodbye", ({ verdict }) => verdict === "planned")).toMatchObject({
        farewell: "stop",
      });
      await inside("systemctl", "start", "balefire");
      await backAlone();
    });

    test("of `systemctl reboot` is a reboot; the daemon starts with the host", async () => {
      await host.run("systemctl", "reboot");
      expect(await seen("its goodbye", ({ verdict }) => verdict === "planned")).toMatchObject({
        farewell: "reboot",
      });
      await backAlone();
      expect(await host.booted()).toBe("running");
      expect(await property("NRestarts")).toBe("0");
    });

    test("of `poweroff` is a shutdown", async () => {
      await host.run("poweroff");
      expect(await seen("its goodbye", ({ verdict }) => verdict === "planned")).toMatchObject({
        farewell: "shutdown",
      });
      expect(await host.off()).toBe(0);
      await host.powerOn();
      await backAlone();
    });

    test("of `poweroff` past the critical limit is that it was too hot, and told at once", async () => {
      const since = mesh.receiver.deliveries.length;
      heat(99);
      const isHot = (each: Delivery): boolean =>
        messageIn(each)?.kind === "heat" && tells(each, "open", NAME);
      await mesh.delivery("word of the heat", WAIT_MS_MAX, isHot, since);
      const from = mesh.receiver.deliveries.length;
      await host.run("poweroff");
      expect(await seen("its goodbye", ({ verdict }) => verdict === "planned")).toMatchObject({
        farewell: "thermal",
      });
      const told = await mesh.delivery("its death", WAIT_MS_MAX, (each) => tells(each, "open", NAME), from);
      expect(messageIn(told)?.text).toContain("too hot");
      expect(await host.off()).toBe(0);
    });
  });
});

/** The checkout where README.md tells people to put it. */
const PROGRAM: Readonly<Record<string, string>> = Object.fromEntries(
  ["bin", "src", "node_modules", "package.json"].map((part) => [join(HOME, part), join(CHECKOUT, part)]),
);

function install({ layer }: BootedHost): void {
  const place = (path: string): string => {
    const file = join(layer, path);
    mkdirSync(dirname(file), { recursive: true });
    return file;
  };
  symlinkSync(join(HOME, "bin/balefire"), place("usr/bin/balefire"));
  copyFileSync(join(CHECKOUT, "packaging/balefire.service"), place("etc/systemd/system/balefire.service"));
  const sensors = { sysfsRoot: SYSFS, every: "500ms", rules: [{ sustain: "0s" }] };
  const config = { sensors, history: { flush: "1s" } };
  writeFileSync(place("etc/balefire/config.yaml"), `${JSON.stringify(config)}\n`, { mode: 0o600 });
}
