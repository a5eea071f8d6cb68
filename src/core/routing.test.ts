import { describe, expect, it } from "vitest";
import { LoneNode, START } from "../../test/contract/lone-node.ts";
import { incidentOf, resolutionOf } from "../../test/contract/sample-incidents.ts";
import { minutes, seconds, wallTime } from "../kit/time.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import { type ChannelRef, DEFAULT_POLICY, type Policy } from "./types.ts";

const phone: ChannelRef = { name: "phone", type: "webhook" };

interface Setting {
  readonly channels?: readonly ChannelRef[];
  readonly policy?: Partial<Policy>;
}

/** Node a hears b; about s, t and u it knows only what b's ledger says. */
function node({ channels = [phone], policy = {} }: Setting = {}): LoneNode {
  const made = new LoneNode(["a", "b", "s", "t", "u"], [], {
    channels,
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

const texts = (told: LoneNode, channel: string): string[] =>
  told.effects.flatMap((effect) =>
    effect.type === "deliver" && effect.channel === channel ? [effect.notification.text] : [],
  );

describe("routes", () => {
  it("tells a channel what is grave enough for it", () => {
    const both = node({ channels: [phone, { name: "pager", type: "pagerduty", minSeverity: "critical" }] });
    tell(both, incidentOf("daemon-down", "s"), incidentOf("down", "t"));
    expect(both.told("phone").join()).toContain("s is up but not watching");
    expect(both.told("pager")).toEqual(["t is down"]);
  });

  it("tells a channel the kinds it wants, and their end", () => {
    const links = node({ channels: [{ ...phone, kinds: ["link-problem"] }] });
    const link = incidentOf("link-problem", "s", { topic: "t" });
    tell(links, link, incidentOf("down", "u"));
    tell(links, resolutionOf(link, 30_000));
    expect(links.told()).toEqual(["t does not hear s", "s and t hear each other again"]);
  });

  it("turns to the fallback when the first channel has failed for good, and tells it the end as well", () => {
    const mail: ChannelRef = { name: "mail", type: "smtp", onlyAsFallback: true };
    const failing = node({ channels: [{ ...phone, fallback: "mail" }, mail] });
    failing.outcome = (channel) =>
      channel === "phone"
        ? { outcome: "permanent", detail: "HTTP 403" }
        : { outcome: "delivered", detail: "" };
    const down = incidentOf("down", "s");
    tell(failing, down);
    expect(failing.told("mail")).toEqual(["s is down"]);
    expect(texts(failing, "mail").join()).toContain("Told here because phone has failed: HTTP 403.");
    tell(failing, resolutionOf(down, 30_000));
    expect(failing.told("mail")).toEqual(["s is down", "s is back"]);
  });

  it("leaves the fallback alone while the first channel works", () => {
    const mail: ChannelRef = { name: "mail", type: "smtp", onlyAsFallback: true };
    const well = node({ channels: [{ ...phone, fallback: "mail" }, mail] });
    tell(well, incidentOf("down", "s"));
    expect(well.told("phone")).toEqual(["s is down"]);
    expect(well.told("mail")).toEqual([]);
  });

  it("repeats what is open where the service forgets it, and stops with its end", () => {
    const forgetful = node({ channels: [{ ...phone, resendEvery: minutes(2) }] });
    const down = incidentOf("down", "s");
    tell(forgetful, down);
    forgetful.pass(minutes(5), ["b"]);
    expect(forgetful.told()).toEqual(["s is down", "s is down", "s is down"]);
    tell(forgetful, resolutionOf(down, 400_000));
    forgetful.pass(minutes(5), ["b"]);
    expect(forgetful.told().slice(3)).toEqual(["s is back"]);
  });
});

describe("mutes", () => {
  const silence = (revision: number, fields: object = {}): LedgerRecord => ({
    t: "mute",
    mute: "m1",
    purpose: "silence",
    matcher: { node: "s*" },
    revision,
    at: wallTime(START),
    by: "root",
    why: "new disks",
    ended: false,
    ...fields,
  });

  it("hold back what fits, and the inbox says why", () => {
    const quiet = node();
    tell(quiet, silence(1), incidentOf("down", "s"), incidentOf("down", "t"));
    expect(quiet.told()).toEqual(["t is down"]);
    expect(texts(quiet, "inbox").join()).toContain(
      "About s nothing is told on any channel: silenced by root: new disks.",
    );
  });

  it("tell what is still wrong when they end, and nothing of what is over", () => {
    const quiet = node();
    const over = incidentOf("down", "s1");
    tell(quiet, silence(1), over, incidentOf("down", "s2"), resolutionOf(over, 5000));
    tell(quiet, silence(2, { ended: true }));
    expect(quiet.told()).toEqual(["s2 is down"]);
  });

  it("hold back the end of what was told before, which the inbox shows, and tell it when they end", () => {
    const quiet = node();
    const down = incidentOf("down", "s");
    tell(quiet, down);
    tell(quiet, silence(1), resolutionOf(down, 30_000));
    expect(quiet.told()).toEqual(["s is down"]);
    expect(quiet.told("inbox")).toEqual(["s is down", "s is back"]);
    expect(texts(quiet, "inbox").at(-1)).toContain(
      "About s nothing is told on any channel: silenced by root",
    );
    tell(quiet, silence(2, { ended: true }));
    expect(quiet.told()).toEqual(["s is down", "s is back"]);
  });

  it("that are lifted before their time hold nothing back any longer", () => {
    const quiet = node();
    tell(quiet, silence(1, { until: wallTime(START + 3_600_000) }), incidentOf("down", "s"));
    expect(quiet.told()).toEqual([]);
    tell(quiet, silence(2, { ended: true, until: wallTime(START + 3_600_000) }));
    expect(quiet.told()).toEqual(["s is down"]);
  });

  it("end by themselves at their time", () => {
    const quiet = node();
    tell(quiet, silence(1, { until: wallTime(START + 60_000) }), incidentOf("down", "s"));
    expect(quiet.told()).toEqual([]);
    quiet.pass(60_000, ["b"]);
    expect(quiet.told()).toEqual(["s is down"]);
  });

  it("by severity leave alone what is graver", () => {
    const quiet = node();
    tell(quiet, silence(1, { matcher: { severity: "warning" } }), incidentOf("daemon-down", "s"));
    expect(quiet.told()).toEqual([]);
    tell(quiet, incidentOf("down", "t"));
    expect(quiet.told()).toEqual(["t is down"]);
  });

  it("say nothing of a member that is expected only sometimes", () => {
    const quiet = node({ policy: { sometimes: ["s"] } });
    tell(quiet, incidentOf("down", "s"), incidentOf("missing", "t"));
    expect(quiet.told()).toEqual(["t is missing"]);
  });

  it("of a host in maintenance cover its links, whichever end it is", () => {
    const quiet = node();
    quiet.input({
      type: "mute",
      request: {
        mute: "maintenance-s",
        purpose: "maintenance",
        matcher: {},
        subject: "s",
        by: "root",
        why: "",
        ended: false,
      },
    });
    tell(
      quiet,
      incidentOf("link-problem", "t", { topic: "s" }),
      incidentOf("link-problem", "s", { topic: "t" }),
    );
    expect(quiet.told()).toEqual([]);
  });
});

describe("quiet hours", () => {
  /** 2027-01-15T08:00:00Z is the node's first moment: 09:00 in Berlin. */
  const quietHours = {
    from: 8 * 60,
    to: 9 * 60 + 1,
    timeZone: "Europe/Berlin",
    severity: "warning",
  } as const;

  it("hold back what can wait until they are over", () => {
    const early = node({ policy: { quietHours } });
    tell(early, incidentOf("daemon-down", "s"));
    expect(early.told()).toEqual([]);
    early.pass(seconds(60), ["b"]);
    expect(early.told()).toEqual(["s is up but not watching"]);
  });

  it("let through what cannot", () => {
    const early = node({ policy: { quietHours } });
    tell(early, incidentOf("down", "s"));
    expect(early.told()).toEqual(["s is down"]);
  });
});

describe("flapping", () => {
  const life = (incarnation: number, since: number) => incidentOf("down", "s", { incarnation, since });

  it("takes no death away from a channel that is not told of it", () => {
    const both = node({ channels: [phone, { name: "pager", type: "pagerduty", kinds: ["down"] }] });
    tell(both, life(1, 0));
    tell(both, resolutionOf(life(1, 0), 21_000));
    tell(both, life(2, 41_000));
    expect(both.told("phone")).toEqual(["s is down", "s is back", "s comes and goes"]);
    expect(both.told("pager")).toEqual(["s is down", "s is back", "s is down"]);
  });
});

describe("a member that is mistaken or worse", () => {
  it("cannot make others send messages about nothing", () => {
    const well = node();
    const intent: LedgerRecord = {
      t: "intent",
      message: "x",
      incidents: [],
      phase: "open",
      channel: "phone",
      node: "b",
      at: wallTime(START),
      renewal: 1,
    };
    tell(well, intent, incidentOf("down", "s"));
    expect(well.told()).toEqual(["s is down"]);
  });
});
