import { describe, expect, it } from "vitest";
import { LoneNode, MESH, rosterOf, START } from "../../test/contract/lone-node.ts";
import { minutes, seconds, wallTime } from "../kit/time.ts";
import { incidentId } from "./incident-id.ts";
import type { LedgerRecord } from "./ledger-records.ts";
import type { Beat } from "./messages.ts";
import { maintenanceId } from "./mutes.ts";

const storedBy = (node: LoneNode) => [...node.disk].map(([key, value]) => ({ key, value }));

/** `b` lives and `s` was never heard. */
function startedWithoutS(): LoneNode {
  const node = new LoneNode(["a", "b", "s"]);
  node.connect("b");
  return node;
}

function withS(...given: ConstructorParameters<typeof LoneNode> | []): LoneNode {
  const node = given.length === 0 ? new LoneNode(["a", "b", "s"]) : new LoneNode(...given);
  for (const peer of ["b", "s"]) node.connect(peer);
  node.pass(1000, ["b", "s"]);
  return node;
}

function setMaintenance(node: LoneNode, subject: string): void {
  const words = { by: "root", why: "", ended: false } as const;
  const request = {
    mute: maintenanceId(subject),
    purpose: "maintenance",
    matcher: {},
    subject,
    ...words,
  } as const;
  node.input({ type: "mute", request });
}

describe("a member that this node has never heard", () => {
  it("is missing after five minutes, not before, and comes back as anyone else", () => {
    const node = startedWithoutS();
    node.pass(minutes(5) - 1000, ["b"]);
    expect(node.verdict("s")).toBe("unknown");
    node.pass(4000, ["b"]);
    expect(node.verdict("s")).toBe("missing");
    const detail = "it has not been heard since this node started";
    expect(node.incidents("missing")).toMatchObject([
      { incident: incidentId(MESH, "missing", "s", 0), verdict: "missing", incarnation: 0, detail },
    ]);
    node.pass(minutes(10), ["b"]);
    expect(node.incidents("missing")).toHaveLength(1);
    node.connect("s");
    node.beat("s");
    expect(node.verdict("s")).toBe("alive");
    expect(node.incidents("missing").map((each) => node.endOf(each))).toEqual(["returned"]);
  });

  it("is a matter between the two where another node hears it", () => {
    const node = startedWithoutS();
    node.pass(minutes(5) - 1000, ["b"]);
    for (let round = 0; round < 120; round += 1) {
      node.pass(50, round % 4 === 0 ? ["b"] : []);
      node.say("b", {
        ...{ t: "answer", subject: "s", state: "hearing", incarnation: 4, heard: 20 },
        ...{ path: "datagram", probe: "none" },
      });
    }
    expect(node.verdict("s")).toBe("link-problem");
    expect(node.incidents("missing")).toEqual([]);
    expect(node.incidents("link-problem")).toMatchObject([{ subject: "s", topic: "a" }]);
  });

  it("is not missed twice: an incident that says it is away goes on", () => {
    const node = startedWithoutS();
    const death: LedgerRecord = {
      ...{ t: "incident", kind: "down", subject: "s", name: "s", incarnation: 3, verdict: "host-down" },
      incident: incidentId(MESH, "down", "s", 3),
      since: wallTime(START),
      by: "b",
    };
    node.say("b", { t: "ledger", records: [death] });
    node.pass(minutes(6), ["b"]);
    expect(node.incidents("missing")).toEqual([]);
    expect(node.verdict("s")).toBe("host-down");
  });

  it("is not missed by a node that is cut off itself, nor at once when it is back", () => {
    const node = startedWithoutS();
    node.uplink = { up: false, detail: "eth0: no carrier" };
    node.pass(1000, ["b"]);
    node.pass(minutes(8));
    expect(node.state.isolated).toBeDefined();
    node.uplink = { up: true, detail: "eth0: carrier" };
    node.pass(minutes(4), ["b"]);
    expect(node.incidents("missing")).toEqual([]);
    node.pass(minutes(2), ["b"]);
    expect(node.incidents("missing")).toMatchObject([{ subject: "s" }]);
  });

  it("is no more than unknown in the beats, which older releases read too", () => {
    const node = startedWithoutS();
    node.pass(minutes(6), ["b"]);
    node.connect("s");
    node.effects.length = 0;
    node.pass(400, ["b"]);
    const views = node.effects.flatMap((effect) =>
      effect.type === "send" && effect.to === "s" && effect.envelope.message.t === "beat"
        ? [effect.envelope.message.view]
        : [],
    );
    expect(new Set(views)).toEqual(new Set(["unknown"]));
  });
});

describe("a stop on purpose", () => {
  const goodbye = { t: "goodbye", incarnation: 1, reason: "stop" } as const;

  it("that lasts longer than planned is told as missing", () => {
    const node = withS();
    node.say("s", goodbye);
    node.pass(minutes(10) - 1000, ["b"]);
    expect(node.verdict("s")).toBe("planned");
    node.pass(4000, ["b"]);
    expect(node.verdict("s")).toBe("missing");
    const detail = "it was stopped on purpose and has not come back";
    expect(node.incidents("missing")).toMatchObject([{ incarnation: 1, detail }]);
    expect(node.incidents("down")).toEqual([]);
  });

  it.each([
    ["nothing", 0],
    ["an hour back", -3_600_000],
    ["an hour forth", 3_600_000],
  ])("is remembered across a restart of the observer, while its wall clock steps by %s", (_words, step) => {
    const before = withS();
    before.say("s", goodbye);
    before.pass(minutes(4), ["b"]);
    const node = new LoneNode(["a", "b", "s"], storedBy(before));
    node.now = before.now;
    node.wallStep = step;
    node.connect("b");
    expect(node.verdict("s")).toBe("planned");
    node.pass(minutes(step === 0 ? 5 : 0), ["b"]);
    expect(node.incidents("missing")).toEqual([]);
    node.pass(minutes(11), ["b"]);
    expect(node.incidents("missing")).toMatchObject([{ incarnation: 1, detail: /on purpose/ }]);
  });

  it("is over when it comes back, and is forgotten on disk too", () => {
    const node = withS();
    node.say("s", goodbye);
    expect(storedBy(node).map(({ key }) => key)).toContain("farewell/s");
    node.beat("s", { incarnation: 2 });
    expect(node.verdict("s")).toBe("alive");
    expect(storedBy(node).map(({ key }) => key)).not.toContain("farewell/s");
  });
});

describe("a host that has booted by itself", () => {
  const anew: Partial<Beat> = { incarnation: 2, boot: "another boot" };

  it("is worth a note, with how long it was away, under one id for all observers", () => {
    const node = withS();
    node.pass(94_000, ["b"]);
    node.beat("s", anew);
    expect(node.incidents("restarted")).toMatchObject([
      {
        incident: incidentId(MESH, "restarted", "s", 0, "another boot"),
        verdict: "alive",
        since: wallTime(START + 800),
        until: wallTime(START + 95_000),
        detail: "away 94 s",
      },
    ]);
  });

  it("is noticed though nobody had a verdict yet, once, in whichever of its new lives it is heard", () => {
    const node = withS();
    node.beat("s", anew);
    node.beat("s", { ...anew, incarnation: 3 });
    expect(node.incidents("down")).toEqual([]);
    expect(node.incidents("restarted")).toHaveLength(1);
    const other = withS();
    other.beat("s", { ...anew, incarnation: 3 });
    expect(other.incidents("restarted")[0]?.incident).toBe(node.incidents("restarted")[0]?.incident);
  });

  it("is none of a daemon that only restarts", () => {
    const node = withS();
    node.beat("s", { incarnation: 2 });
    expect(node.incidents("restarted")).toEqual([]);
  });

  it("has not, when it said goodbye or is being worked on", () => {
    const node = withS();
    node.say("s", { t: "goodbye", incarnation: 1, reason: "stop" });
    node.pass(minutes(11), ["b"]);
    node.beat("s", anew);
    setMaintenance(node, "b");
    node.beat("b", anew);
    expect(node.incidents("restarted")).toEqual([]);
  });
});

describe("a member in maintenance", () => {
  it("shows as planned while it is away, and its absence is entered all the same", () => {
    const node = withS();
    setMaintenance(node, "s");
    expect(node.verdict("s")).toBe("alive");
    node.pass(seconds(5), ["b"]);
    expect(node.verdict("s")).toBe("planned");
    expect(node.incidents("down")).toHaveLength(1);
  });
});

describe("a member that leaves the mesh", () => {
  it("leaves nothing open, neither about itself nor by what it did not hear", () => {
    const node = withS();
    node.pass(6000, ["b", "s"], { view: "suspect", heard: 9000 });
    node.pass(5000, ["b"], { view: "suspect", heard: 9000 });
    expect(node.incidents("down")).toHaveLength(1);
    node.input({ type: "roster", roster: rosterOf(["a"], 1, 2) });
    expect(node.state.ledger.open.size).toBe(0);
    expect(node.incidents("down").map((each) => node.endOf(each))).toEqual(["replaced"]);
  });

  it("is not missed by what a node says that has yet to learn of it", () => {
    const node = withS();
    node.input({ type: "roster", roster: rosterOf(["a", "b"], 1, 2) });
    const incident = incidentId(MESH, "down", "s", 1);
    const about = { subject: "s", name: "s", incarnation: 1, verdict: "host-down", by: "b" } as const;
    const record: LedgerRecord = { t: "incident", incident, kind: "down", ...about, since: wallTime(START) };
    node.say("b", { t: "ledger", records: [record] });
    expect(node.state.ledger.open.size).toBe(0);
  });
});

describe("a node that was cut off", () => {
  it("says from when to when and what its uplink showed, once it hears others again", () => {
    const node = withS();
    node.uplink = { up: false, detail: "eth0: no carrier" };
    node.pass(20_000);
    expect(node.incidents("cut-off")).toEqual([]);
    node.pass(200, ["b"]);
    expect(node.incidents("cut-off")).toMatchObject([
      {
        subject: "a",
        incarnation: 1,
        since: wallTime(START + 800),
        until: wallTime(START + 21_000),
        detail: "eth0: no carrier",
      },
    ]);
    expect(node.incidents("down")).toEqual([]);
    node.pass(1000, ["b", "s"]);
    node.pass(20_000);
    node.pass(200, ["b"]);
    expect(node.incidents("cut-off")).toHaveLength(2);
  });

  it("takes back what it held of others while it was looking at its own network", () => {
    const node = withS();
    node.uplink = undefined;
    node.outcome = () => ({ outcome: "temporary", detail: "ENETUNREACH" });
    node.pass(5000);
    expect(["b", "s"].map((peer) => node.verdict(peer))).toEqual(["unreachable", "unreachable"]);
    const tried = node.told().length;
    node.input({ type: "uplink", uplink: { up: false, detail: "eth0: no carrier" } });
    expect(["b", "s"].map((peer) => node.verdict(peer))).toEqual(["unknown", "unknown"]);
    expect(node.state.isolated).toBeDefined();
    node.pass(60_000);
    expect(node.told()).toHaveLength(tried);
    // Back among them: whom it had held for dead has begun a new life.
    node.outcome = () => ({ outcome: "delivered", detail: "ok" });
    node.pass(20_000, ["b", "s"], { incarnation: 2 });
    expect(node.told().slice(tried)).toEqual(["a was cut off for 65 s"]);
    expect(node.incidents("down").map((each) => node.endOf(each))).toEqual(["returned", "returned"]);
  });

  it("makes no words of a second", () => {
    const node = withS();
    node.uplink = { up: false, detail: "eth0: no carrier" };
    node.pass(1500);
    expect(node.state.isolated).toBeDefined();
    node.pass(200, ["b"]);
    expect(node.incidents("cut-off")).toEqual([]);
  });
});
