/** Hosts whose clocks are wrong, with real daemons: they join, are watched and renewed, and people are told. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { runToEnd } from "../../lab/driver/child.ts";
import { until } from "../../lab/driver/clock.ts";
import { Daemon } from "../../lab/driver/daemon.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { messageIn } from "../../lab/driver/message.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";
import type { DoctorReport, TokenCreateReport, WatchEvent } from "../../src/wire/rpc.ts";
import { canMoveClocks, HostClock } from "./host-clock.ts";

const PORT = 17_884;
const WAIT_MS_MAX = 30_000;
const HOUR = 3600;
const since1970 = (): number => -Math.round(Date.now() / 1000);
/** The host, how far its clock is off in seconds, and what is said of it. */
const WRONG: readonly (readonly [name: string, seconds: number, said: string])[] = [
  ["ahead", HOUR, "60 min ahead of the others"],
  ["behind", -24 * HOUR, "24 h behind the others"],
  ["reset", since1970(), `${Math.round(-since1970() / 86_400)} d behind the others`],
];
const NAMES = ["a", "b", "c"];

describe.runIf(canMoveClocks || process.env.CI === "true")("hosts whose clocks are off", () => {
  let folder: string;
  let mesh: Mesh;
  const clocks = new Map<string, HostClock>();
  const strays: Daemon[] = [];
  const notices: { readonly observer: string; readonly event: WatchEvent }[] = [];

  const clock = (name: string): HostClock => {
    const known = clocks.get(name) ?? new HostClock(join(folder, `${name}.clock`));
    clocks.set(name, known);
    return known;
  };
  const daemons = (): readonly Daemon[] => [...mesh.daemons, ...strays];
  const named = (name: string): Daemon => {
    const found = daemons().find((daemon) => daemon.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  const doctor = async (name: string): Promise<DoctorReport["findings"]> =>
    (await named(name).control.call("doctor", {})).findings;
  const told = (phase: "open" | "resolved", name: string): number =>
    mesh.receiver.deliveries
      .map(messageIn)
      .filter((message) => message?.kind === "clock" && message.state === phase)
      .filter((message) => message?.subjects.some((subject) => subject.name === name)).length;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "balefire-clocks-"));
    const loopback = loopbackNetwork();
    mesh = await Mesh.form({
      names: NAMES,
      network: { ...loopback, inside: (place, argv) => clock(NAMES[place] ?? "").inside(argv) },
      balefire: FROM_SOURCE,
      port: PORT,
      policy: { clock: { grace: "1s" } },
    });
    mesh.listen((notice) => notices.push(notice));
  }, 60_000);
  afterAll(async () => {
    await Promise.all(strays.map((daemon) => daemon.kill()));
    await mesh.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const join_ = async (place: number, name: string, offset: number): Promise<string> => {
    const first = mesh.daemon("a");
    const own = clock(name);
    own.offBy(offset);
    const daemon = new Daemon({
      name,
      addresses: [`127.0.0.${place}:${PORT}`],
      folder: join(folder, name),
      balefire: FROM_SOURCE,
      config: readFileSync(join(first.folder, "config.yaml"), "utf8"),
      inside: (argv) => own.inside(argv),
    });
    strays.push(daemon);
    daemon.onNotice((event) => notices.push({ observer: name, event }));
    const made = JSON.parse(await first.cli("token", "create", name, "--json")) as TokenCreateReport;
    const words = ["join", made.token, "--via", first.address, ...daemon.addressFlags];
    const joined = await runToEnd(own.inside([...FROM_SOURCE, ...words]), {
      env: daemon.env,
      timeoutMs: WAIT_MS_MAX,
    });
    expect(joined).toMatchObject({ code: 0 });
    await daemon.run();
    return joined.stderr;
  };

  test("join, and are told that their clock differs from the keymaster's", async () => {
    const said = await Promise.all(
      WRONG.map(([name, seconds], at) => join_(NAMES.length + 1 + at, name, seconds)),
    );
    for (const [at, [, , words]] of WRONG.entries())
      expect(said[at]).toContain(`this host's clock is ${words.replace("the others", "the keymaster's")}`);
  });

  test("watch and are watched; each is an incident, told once, with what to do", async () => {
    const everyone = [...NAMES, ...WRONG.map(([name]) => name)];
    await until("everyone to see everyone alive", WAIT_MS_MAX, async () => {
      const reports = await Promise.all(daemons().map((daemon) => daemon.status()));
      const isCalm = reports.every(({ nodes }) => {
        const alive = nodes.filter(({ verdict }) => verdict === "alive").map(({ name }) => name);
        return everyone.every((name) => alive.includes(name));
      });
      return isCalm ? true : undefined;
    });
    for (const [name, , words] of WRONG) {
      const delivery = await mesh.delivery(`the message about ${name}`, WAIT_MS_MAX, (each) => {
        const message = messageIn(each);
        return message?.kind === "clock" && message.subjects.some((subject) => subject.name === name);
      });
      const message = messageIn(delivery);
      expect(message).toMatchObject({ state: "open", severity: "warning" });
      expect(message?.text).toContain(`${name}: its clock is ${words}: it says `);
      expect(message?.text).toContain("timedatectl");
      // Whoever wrote it: no time in it is of a clock that is off.
      expect(Math.abs(Date.parse(message?.since ?? "") - Date.now())).toBeLessThan(60_000);
    }
  });

  test("doctor says it there and elsewhere, and blames nobody else", async () => {
    for (const [name, , words] of WRONG) {
      const own = (await doctor(name)).filter(({ check }) => check.startsWith("clock"));
      expect(own.find(({ check }) => check === "clock of this host")).toMatchObject({
        level: "failed",
        finding: expect.stringContaining(words),
        remedy: expect.stringContaining("chronyc makestep"),
      });
      const blamed = own.filter(({ level }) => level !== "ok").map(({ check }) => check);
      const others = WRONG.filter(([other]) => other !== name).map(([other]) => `clock of ${other}`);
      expect(blamed.sort()).toEqual(["clock of this host", ...others].sort());
      expect((await doctor("b")).find(({ check }) => check === `clock of ${name}`)).toMatchObject({
        level: "warning",
        finding: words,
      });
      const { problems } = await named(name).status();
      expect(problems.join()).toContain(`this host's clock is ${words}`);
      expect(problems.join()).not.toContain("outside its validity");
    }
  });

  test("are renewed, know how certificates stand, and come back after a death", async () => {
    for (const [name] of WRONG) {
      await named(name).control.call("certs-renew", {});
      const { certificates } = await named(name).control.call("certs", {});
      expect(certificates.map(({ state }) => state)).toEqual(certificates.map(() => "valid"));
    }
    await named("reset").kill();
    await named("reset").run();
    await until("a and the host in 1970 to see one another again", WAIT_MS_MAX, async () => {
      const [there, here] = await Promise.all([named("a").status(), named("reset").status()]);
      const sees = ({ nodes }: typeof there, name: string): boolean =>
        nodes.some((node) => node.name === name && node.verdict === "alive" && node.path === "datagram");
      return sees(there, "reset") && sees(here, "a") ? true : undefined;
    });
  });

  test("once set right, it is over: one message each, and nobody was ever called down for a clock", async () => {
    for (const [name] of WRONG) clock(name).offBy(0);
    for (const [name] of WRONG)
      await until(`the end of the incident about ${name}`, WAIT_MS_MAX, () =>
        told("resolved", name) > 0 ? true : undefined,
      );
    for (const [name] of WRONG) {
      expect([name, told("open", name), told("resolved", name)]).toEqual([name, 1, 1]);
      expect(await doctor(name)).toContainEqual(expect.objectContaining({ check: "clocks", level: "ok" }));
    }
    const verdicts = notices
      .filter(({ event }) => event.event === "verdict" && event.name !== "reset")
      .map(({ observer, event }) => `${observer}: ${event.name} ${event.to}`)
      .filter((text) => !/ (alive|suspect|unknown)$/.test(text));
    expect(verdicts).toEqual([]);
  });

  test("a keymaster whose clock goes wrong signs by the others' time, and tokens still work", async () => {
    clock("a").offBy(since1970());
    await until("a to notice", WAIT_MS_MAX, async () => {
      const { problems } = await named("a").status();
      return problems.join().includes("this host's clock is") ? true : undefined;
    });
    const renewed = await named("b").control.call("certs-renew", {});
    expect(Date.parse(renewed.notAfter)).toBeGreaterThan(Date.now() + 29 * 24 * HOUR * 1000);
    expect(await join_(NAMES.length + 1 + WRONG.length, "late", 0)).not.toContain("clock is");
    clock("a").offBy(0);
  });
});
