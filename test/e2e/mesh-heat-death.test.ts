/** A host that loses its power while it runs hot: what people and the survivors know of it. And a history that cannot be written. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { type Finished, runToEnd } from "../../lab/driver/child.ts";
import { until } from "../../lab/driver/clock.ts";
import type { Daemon } from "../../lab/driver/daemon.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { messageIn, tells } from "../../lab/driver/message.ts";
import { namespaceNetwork, whyNoNamespaces } from "../../lab/driver/namespaces.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";
import { fillDisk, smallDisk } from "../contract/small-disk.ts";
import { buildTree, chipFolder, write } from "../fixtures/sysfs/tree.ts";

const WAIT_MS_MAX = 15_000;
const CPU = {
  name: "coretemp",
  device: "platform/coretemp.0",
  bus: "platform",
  channels: { temp1: { input: 61000, label: "Package id 0", crit: 105000 } },
} as const;
const CPU_FILE = `${chipFolder(CPU, 0)}/temp1_input`;

const folder = mkdtempSync(join(tmpdir(), "balefire-heat-"));
const rootOf = (name: string): string => join(folder, name);
const set = (name: string, value: number): void => write(rootOf(name), CPU_FILE, String(value));
const command = (daemon: Daemon, ...words: string[]): Promise<Finished> =>
  runToEnd([...FROM_SOURCE, ...words], { env: daemon.env, timeoutMs: 60_000 });
const cpuOn = async (daemon: Daemon, node: string): Promise<number | null | undefined> =>
  (await daemon.control.call("temps", { node })).hosts[0]?.readings[0]?.value;

const plan = {
  balefire: FROM_SOURCE,
  configOf: (name: string) => ({
    sensors: { sysfsRoot: rootOf(name), every: "500ms", rules: [{ sustain: "0s" }] },
    history: { flush: "1s" },
  }),
};
beforeAll(() => {
  for (const name of ["a", "b", "c", "d", "e"]) buildTree(rootOf(name), { chips: [CPU] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const reason = whyNoNamespaces();

describe.skipIf(reason !== undefined)(
  `a host without power${reason === undefined ? "" : ` (${reason})`}`,
  () => {
    test("is told with what it last felt, and its last minutes are on the survivors, also after a restart", async () => {
      const mesh = await Mesh.form({ ...plan, names: ["a", "b", "c"], network: namespaceNetwork(3) });
      try {
        const b = mesh.daemon("b");
        const felt = async (value: number): Promise<true | undefined> =>
          (await cpuOn(b, "c")) === value ? true : undefined;
        await until("b to know of c", WAIT_MS_MAX, () => felt(61));
        set("c", 96000);
        await mesh.delivery("word of the heat", WAIT_MS_MAX, (each) => tells(each, "open", "c"));
        await until("b to know of it", WAIT_MS_MAX, () => felt(96));
        const from = mesh.receiver.deliveries.length;
        await mesh.perform("power-loss", "c");
        const down = await mesh.delivery(
          "the death",
          WAIT_MS_MAX,
          (each) => messageIn(each)?.kind === "down" && tells(each, "open", "c"),
          from,
        );
        const message = messageIn(down);
        expect(message?.text).toMatch(/Last felt \d s before: CPU 96 °C/);
        expect(message?.text).toContain(
          "CPU was past its critical 95 °C shortly before; that may be the cause.",
        );
        expect(message?.subjects[0]?.readings).toMatchObject([
          { name: "CPU", kind: "cpu-package", unit: "celsius", value: 96 },
        ]);

        const { incidents } = await b.control.call("incidents", {});
        const heat = incidents.filter(({ kind }) => kind === "heat");
        expect(new Set(heat.map(({ state }) => state))).toEqual(new Set(["unknown"]));
        expect((await command(b, "incidents")).stdout).toMatch(/^c: heat {2}unknown {2}since /m);

        const box = await b.control.call("blackbox", { node: "c" });
        expect(box).toMatchObject({ source: "memory", name: "c", sensors: [{ name: "CPU" }] });
        expect(box.samples.at(-1)?.values).toEqual([96]);
        expect(box.samples[0]?.values).toEqual([61]);
        const shown = await command(b, "blackbox", "c");
        expect(shown.stdout).toMatch(/^It was last heard .*, [01] s after the last look\.$/m);

        await mesh.perform("stop", "b");
        await mesh.perform("revive", "b");
        const stored = await b.control.call("blackbox", { node: "c" });
        expect(stored).toMatchObject({ source: "history", sensors: [{ name: "CPU", kind: "cpu-package" }] });
        expect(stored.samples.at(-1)?.values).toEqual([96]);
        expect(mesh.receiver.deliveries.filter((each) => tells(each, "resolved", "c"))).toEqual([]);
        const csv = await command(b, "blackbox", "c", "--at", "now", "--csv");
        expect(csv.stdout).toMatch(/^time,CPU \[celsius\] platform\/coretemp\.0\/temp1\n2\d{3}-.*Z,61\n/);
      } finally {
        await mesh.close();
      }
    });
  },
);

const disk = join(folder, "disk");
mkdirSync(disk);
const small = smallDisk(disk);
afterAll(() => {
  if (small.mounted) small.unmount();
});

describe.skipIf(!small.mounted)("a full disk under the history", () => {
  test("stops neither beats nor readings, and is said by status and doctor until there is room", async () => {
    const network = loopbackNetwork();
    const mesh = await Mesh.form({ ...plan, names: ["d", "e"], network, port: 18_154 });
    try {
      const e = mesh.daemon("e");
      await mesh.perform("stop", "e");
      for (const suffix of ["", "-wal", "-shm"])
        rmSync(join(e.folder, `state/history.sqlite${suffix}`), { force: true });
      symlinkSync(join(disk, "history.sqlite"), join(e.folder, "state/history.sqlite"));
      const makeRoom = fillDisk(disk);
      await mesh.perform("revive", "e");
      const failing = await until("e to say so", WAIT_MS_MAX, async () =>
        (await e.status()).problems.find((problem) => problem.startsWith("the history in")),
      );
      expect(failing).toContain("cannot be used");
      expect((await command(e, "doctor")).stdout).toMatch(/^failed +history: /m);
      set("e", 70000);
      await until("d to see what e feels", WAIT_MS_MAX, async () =>
        (await cpuOn(mesh.daemon("d"), "e")) === 70 ? true : undefined,
      );
      const { nodes } = await mesh.daemon("d").status();
      expect(nodes.find(({ name }) => name === "e")?.verdict).toBe("alive");
      makeRoom();
      await until("e to keep a history again", WAIT_MS_MAX, async () =>
        (await e.status()).problems.some((problem) => problem.startsWith("the history in"))
          ? undefined
          : true,
      );
      const { points } = await e.control.call("history", { sensor: "CPU" });
      expect(points.length).toBeGreaterThan(0);
    } finally {
      await mesh.close();
    }
  });
});
