import { describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { incidentOf, resolutionOf, type Sample } from "../../test/contract/sample-incidents.ts";
import { minutes } from "../kit/time.ts";
import type { IncidentKind, IncidentRecord, LedgerRecord } from "./ledger-records.ts";
import { DEFAULT_POLICY, type Policy } from "./types.ts";

function node(policy: Partial<Policy> = {}): LoneNode {
  const made = new LoneNode(["a", "b", "s", "t", "u", "v", "w"], [], {
    policy: { ...DEFAULT_POLICY, missingAfter: minutes(600), ...policy },
  });
  made.connect("b");
  made.pass(1000, ["b"]);
  return made;
}

function tell(told: LoneNode, ...records: LedgerRecord[]): void {
  told.say("b", { t: "ledger", records });
  told.pass(20_000, ["b"]);
}

const texts = (told: LoneNode): string[] =>
  told.effects.flatMap((effect) =>
    effect.type === "deliver" && effect.channel === "phone" ? [effect.notification.text] : [],
  );

describe("notes", () => {
  const restart = incidentOf("restarted", "s", { incarnation: 2, since: 1000, until: 95_000 });

  it("tell of a host that booted by itself", () => {
    const told = node();
    tell(told, restart);
    expect(told.told()).toEqual(["s restarted by itself, away 94 s"]);
    told.pass(120_000, ["b"]);
    expect(told.told()).toHaveLength(1);
  });

  it("add nothing to an absence that was told", () => {
    const told = node();
    const down = incidentOf("down", "s", { since: 1000 });
    tell(told, down);
    tell(told, resolutionOf(down, 95_000, "returned-rebooted"), restart);
    expect(told.told()).toEqual(["s is down", "s is back"]);
    expect(texts(told)[1]).toContain("Restarted meanwhile: s.");
  });

  it("say from when to when a host was cut off", () => {
    const told = node();
    tell(told, incidentOf("cut-off", "s", { since: 0, until: 360_000, detail: "eth0: no carrier" }));
    expect(told.told()).toEqual(["s was cut off for 6 min"]);
    expect(texts(told)[0]).toContain(
      "s says: I was cut off from 2027-01-15 08:00:00 UTC to 08:06:00 UTC (eth0: no carrier).",
    );
  });

  it("of a cut off host stand in its recovery where its absence was told", () => {
    const told = node();
    const down = incidentOf("down", "s");
    tell(told, down);
    tell(told, incidentOf("cut-off", "s", { since: 100, until: 20_000 }), resolutionOf(down, 21_000));
    expect(told.told()).toEqual(["s is down", "s is back"]);
    expect(texts(told)[1]).toContain("s says: I was cut off");
  });

  it("are not told of what is long over", () => {
    const told = node();
    told.pass(1000, ["b"]);
    tell(told, incidentOf("restarted", "s", { since: -2 * 86_400_000, until: -2 * 86_400_000 + 1 }));
    expect(told.told()).toEqual([]);
  });
});

describe("links", () => {
  const link = (subject: string, topic: string) => incidentOf("link-problem", subject, { topic });

  it.each([
    ["a pair", [link("s", "t"), link("t", "s")], "s and t do not hear each other"],
    ["one direction", [link("s", "t")], "t does not hear s"],
    ["a deaf host", [link("s", "t"), link("u", "t"), link("v", "t")], "t does not hear s, u and v"],
    ["a mute host", [link("s", "t"), link("s", "u"), link("s", "v")], "s is not heard by t, u and v"],
    [
      "a host with bad links both ways",
      [link("s", "t"), link("t", "s"), link("s", "u"), link("u", "s")],
      "s and t and u do not hear each other",
    ],
    [
      "a network",
      [
        incidentOf("link-problem", "s", { topic: "path 127.0.0.1:7115" }),
        incidentOf("link-problem", "t", { topic: "path 127.0.0.1:7116" }),
      ],
      "s and t do not answer on 127.0.0.x",
    ],
  ] as const)("of %s are named in one message", (_, records, title) => {
    const told = node();
    tell(told, ...records);
    expect(told.told()).toEqual([title]);
    expect(texts(told)[0]).toContain("Nobody is down");
  });

  it("of a host that is down are not worth a word", () => {
    const told = node();
    tell(told, link("s", "t"), link("t", "s"), incidentOf("down", "s"));
    expect(told.told()).toEqual(["s is down"]);
  });

  it("are not called repaired because one of their ends has died", () => {
    const told = node();
    const broken = link("s", "t");
    tell(told, broken);
    tell(told, incidentOf("down", "s", { since: 30_000 }), resolutionOf(broken, 31_000, "replaced"));
    expect(told.told()).toEqual(["t does not hear s", "s is down"]);
  });

  it("may be broken for a moment", () => {
    const told = node();
    const broken = link("s", "t");
    told.say("b", { t: "ledger", records: [broken] });
    told.pass(10_000, ["b"]);
    tell(told, resolutionOf(broken, 10_000));
    expect(told.told()).toEqual([]);
  });
});

describe("flapping", () => {
  const life = (incarnation: number, since: number) => incidentOf("down", "s", { incarnation, since });

  /** Down for 5 s, up for 15 s, so many times. */
  function flap(told: LoneNode, times: number): void {
    for (let round = 0; round < times; round += 1) {
      const at = round * 20_000;
      told.say("b", { t: "ledger", records: [life(round + 1, at)] });
      told.pass(5000, ["b"]);
      told.say("b", { t: "ledger", records: [resolutionOf(life(round + 1, at), at + 5000)] });
      told.pass(15_000, ["b"]);
    }
  }

  it("is told as the first down and up, that it comes and goes, and its end", () => {
    const told = node();
    flap(told, 6);
    expect(told.told()).toEqual(["s is down", "s is back", "s comes and goes"]);
    told.pass(60_000, ["b"]);
    expect(told.told().slice(3)).toEqual(["s is steady again"]);
    expect(texts(told)[3]).toContain("s failed 5 more times");
  });

  it("ends with the host's being down where it stays down", () => {
    const told = node();
    flap(told, 3);
    tell(told, life(9, 60_000));
    told.pass(60_000, ["b"]);
    expect(told.told().slice(3).sort()).toEqual(["s has stopped coming back", "s is down"]);
    tell(told, resolutionOf(life(9, 60_000), 150_000));
    expect(told.told().at(-1)).toBe("s is back");
  });

  it("is not looked for where the policy says so", () => {
    const told = node({ flap: undefined });
    flap(told, 2);
    expect(told.told()).toEqual(["s is down", "s is back", "s is down", "s is back"]);
  });

  it("is not what comes again after the window", () => {
    const told = node();
    flap(told, 1);
    told.pass(minutes(10), ["b"]);
    tell(told, life(2, minutes(10) + 20_000));
    expect(told.told()).toEqual(["s is down", "s is back", "s is down"]);
  });
});

describe("a beginning that may have arrived", () => {
  it("is told for certain, and then its end", () => {
    const told = node();
    told.outcome = (channel) =>
      channel === "phone"
        ? { outcome: "temporary", detail: "no answer", uncertain: true }
        : { outcome: "delivered", detail: "" };
    const down = incidentOf("down", "s");
    tell(told, down);
    tell(told, resolutionOf(down, 20_000));
    told.effects.length = 0;
    told.outcome = () => ({ outcome: "delivered", detail: "" });
    told.pass(minutes(6), ["b"]);
    expect(told.told()).toEqual(["s was down for 20 s", "s is back"]);
    const ids = told.effects.flatMap((effect) =>
      effect.type === "deliver" && effect.channel === "phone" ? [effect.notification.follows] : [],
    );
    expect(ids[1]).toHaveLength(1);
  });

  it("is not told any more when it surely did not arrive and is over", () => {
    const told = node();
    told.outcome = (channel) =>
      channel === "phone"
        ? { outcome: "temporary", detail: "refused" }
        : { outcome: "delivered", detail: "" };
    const down = incidentOf("down", "s");
    tell(told, down);
    tell(told, resolutionOf(down, 20_000));
    told.effects.length = 0;
    told.outcome = () => ({ outcome: "delivered", detail: "" });
    told.pass(minutes(6), ["b"]);
    expect(told.told()).toEqual([]);
  });
});

describe("a title", () => {
  it("shows who and what within what a phone shows", () => {
    const told = node();
    const names = ["s", "t", "u", "v", "w"].map((name) => ({
      ...incidentOf("down", name),
      name: `proxmox-node-${name}.example.org`,
    }));
    tell(told, ...names);
    expect(told.told()[0]).toBe("proxmox-node-s.example.org and 4 others are down");
    expect(texts(told)[0]).toContain(`In all: ${names.map(({ name }) => name).join(", ")}.`);
  });

  describe("of any kind", () => {
    const long = [1, 2, 3, 4, 5].map((number) => `pve-frankfurt-rack${number}-01`);
    const [one = "", two = "", three = ""] = long;
    const PHONE = 60;
    const each = (kind: IncidentKind, sample: Sample = {}): IncidentRecord[] =>
      long.map((name) => incidentOf(kind, name, sample));
    const link = (subject: string, topic: string) => incidentOf("link-problem", subject, { topic });

    it.each([
      ["two that are down", each("down").slice(0, 2), "are down", "are back"],
      ["many that are missing", each("missing"), "are missing", "are back"],
      ["many dead daemons", each("daemon-down"), "are up but not watching", "are back"],
      ["a pair", [link(one, two), link(two, one)], "No link between", "Link back between"],
      ["one direction", [link(two, one)], "does not hear", "Link back between"],
      ["a deaf host", long.slice(1).map((name) => link(name, one)), "does not hear", "hears"],
      ["a mute host", long.slice(1).map((name) => link(one, name)), "is not heard by", "is heard by"],
      [
        "a bad host",
        [link(one, two), link(two, one), link(one, three)],
        "No link between",
        "hear one another",
      ],
      [
        "a network",
        each("link-problem", { topic: "path 127.0.0.1:7112" }),
        "do not answer on",
        "are back on 127.0.0.x",
      ],
      ["flapping", each("flapping", { topic: "down" }), "come and go", "are steady again"],
      [
        "one clock",
        each("clock", { detail: "60 min ahead of the others: it says" }).slice(0, 1),
        "60 min ahead",
        "is right",
      ],
      ["clocks", each("clock"), "Clocks wrong", "Clocks right again"],
      ["certificates", each("certificate"), "Certificates not being renewed", "Certificates renewed"],
      [
        "heat",
        each("heat", { topic: "k critical", detail: "CPU package: 97 °C, critical from 95 °C" }).slice(0, 1),
        "CPU package 97 °C",
        "is well",
      ],
    ] as const)("says who and what in its first 60 characters: %s", (_, records, open, over) => {
      const told = new LoneNode(["a", "b", ...long], [], {
        policy: { ...DEFAULT_POLICY, missingAfter: minutes(600), clockGrace: minutes(0) },
      });
      told.connect("b");
      told.pass(1000, ["b"]);
      tell(told, ...records);
      tell(told, ...records.map((record) => resolutionOf(record, 30_000)));
      expect(told.told()).toHaveLength(2);
      for (const [at, what] of [open, over].entries()) {
        const shown = told.told()[at]?.slice(0, PHONE);
        expect(shown).toContain(what);
        expect(shown).toContain(one);
      }
    });

    it.each([
      ["revoked", {}, "were revoked"],
      ["restarted", { until: 90_000 }, "restarted by themselves"],
      ["cut-off", { until: 90_000 }, "were cut off for a while"],
      ["planned", { topic: "shutdown" }, "were shut down on"],
    ] as const)("says so of notes too: %s", (kind, sample, what) => {
      const told = node();
      tell(told, ...each(kind, sample));
      expect(told.told()).toHaveLength(1);
      expect(told.told()[0]?.slice(0, PHONE)).toContain(what);
      expect(told.told()[0]).toContain(one);
    });
  });
});

describe("heat", () => {
  const sensor = (topic: string, detail: string, subject = "s") =>
    incidentOf("heat", subject, { topic, detail });
  const warm = sensor("k1 warning", "CPU package: 97 °C, warns from 85 °C");
  const hot = sensor("k1 critical", "CPU package: 97 °C, critical from 95 °C");

  it("of one host is one message, the gravest first", () => {
    const told = node();
    tell(told, warm, sensor("k2 warning", "nvme0 (slot 3): 74 °C, warns from 70 °C"), hot);
    expect(told.told()).toEqual(["s: CPU package 97 °C, critical from 95 °C, and 1 more"]);
    expect(texts(told)[0]).toContain("s: nvme0 (slot 3) 74 °C, warns from 70 °C, since 2027-01-15");
  });

  it("of two hosts is two messages", () => {
    const told = node();
    tell(told, warm, sensor("k9 stopped", "fan CPU_FAN: stands still", "t"));
    expect(told.told().sort()).toEqual([
      "s: CPU package 97 °C, warns from 85 °C",
      "t: fan CPU_FAN stands still",
    ]);
  });

  it("ends once, when the sensor is well again", () => {
    const told = node();
    tell(told, warm, hot);
    tell(told, resolutionOf(hot, 30_000));
    expect(told.told()).toHaveLength(1);
    tell(told, resolutionOf(warm, 60_000));
    expect(told.told().slice(1)).toEqual(["s: CPU package is well again"]);
  });

  it("is not called over while the host is away", () => {
    const told = node();
    const down = incidentOf("down", "s", { since: 100 });
    tell(told, warm);
    tell(told, down, resolutionOf(warm, 30_000));
    expect(told.told().slice(1)).toEqual(["s is down"]);
    tell(told, resolutionOf(down, 90_000));
    expect(told.told().slice(2).sort()).toEqual(["s is back", "s: CPU package is well again"]);
  });
});

describe("a text", () => {
  it.each([
    ["what its own uplink showed", { up: true, detail: "eth0: carrier" }, "my own uplink: eth0: carrier."],
    ["that its own uplink was not seen in time", undefined, "my own uplink could not be checked."],
  ])("of the last survivor says %s", (_, uplink, words) => {
    const survivor = new LoneNode(["a", "b"]);
    survivor.connect("b");
    survivor.pass(5000, ["b"]);
    survivor.uplink = uplink;
    survivor.pass(5000);
    expect(survivor.told()).toEqual(["b unreachable from a"]);
    expect(texts(survivor)[0]).toContain(`Nobody else is there to ask; ${words}`);
  });

  it("about very many stays within what peers keep, and says that there is more", () => {
    const told = node();
    const many = Array.from({ length: 90 }, (_, index) => ({
      ...incidentOf("missing", "s", { incarnation: index + 1, detail: "x".repeat(150) }),
      name: `host-${index}`,
    }));
    tell(told, ...many);
    expect(texts(told)[0]?.length).toBeLessThan(4000);
    expect(texts(told)[0]).toMatch(/… \d+ more lines\.$/);
  });
});
