import { describe, expect, it } from "vitest";
import { LoneNode, MESH, rosterOf, START } from "../../test/contract/lone-node.ts";
import { minutes, seconds, wallTime } from "../kit/time.ts";
import { incidentId } from "./incident-id.ts";
import type { LedgerRecord } from "./ledger-records.ts";

const IDS = ["a", "b", "s"];
const FIRST_OF_S = "127.0.0.1:7115";
const SECOND_OF_S = "127.0.1.1:7115";
const SECOND_OF_B = "127.0.1.1:7098";

/** All hear one another over the first network; the second one is there too, or not. */
function withTwoNetworks(reaches: (address: string) => boolean = () => true): LoneNode {
  const node = new LoneNode(IDS, [], { roster: rosterOf(IDS, 2) });
  node.probe = (address) => (reaches(address) ? "accepted" : "silent");
  for (const peer of ["b", "s"]) node.connect(peer);
  node.pass(1000, ["b", "s"]);
  return node;
}

const open = (node: LoneNode) =>
  node.incidents("link-problem").filter((each) => node.endOf(each) === undefined);

const dialled = (node: LoneNode): string[] =>
  node.effects.flatMap((effect) => (effect.type === "dial" && effect.peer === "s" ? [effect.address] : []));

describe("a peer with two addresses", () => {
  it("is dialled at the other one as soon as it is doubted, by either side", () => {
    const node = withTwoNetworks();
    node.effects.length = 0;
    node.pass(700, ["b"]);
    expect(node.verdict("s")).toBe("suspect");
    expect(dialled(node)).toEqual([SECOND_OF_S]);
    node.connect("s", 1);
    node.beat("s");
    expect(node.verdict("s")).toBe("alive");
    // The session has moved, and the next doubt looks for it where it was before.
    node.effects.length = 0;
    node.pass(1400, ["b"]);
    expect(dialled(node)).toEqual([FIRST_OF_S]);
  });

  it("is looked at where it is not heard every half minute, and nowhere else", () => {
    const node = withTwoNetworks();
    node.effects.length = 0;
    node.pass(minutes(10), ["b", "s"]);
    const probes = node.effects.flatMap((effect) =>
      effect.type === "probe" && effect.subject === "s" ? [effect.address] : [],
    );
    expect(new Set(probes)).toEqual(new Set([SECOND_OF_S]));
    expect(probes.length).toBeGreaterThan(15);
    expect(probes.length).toBeLessThan(28);
  });
});

describe("an address that is not reachable while its host is heard at another", () => {
  it("has a name after ten seconds, the same at all who miss it, until it answers", () => {
    let reachable = false;
    const node = withTwoNetworks((address) => address !== SECOND_OF_S || reachable);
    node.pass(seconds(8), ["b", "s"]);
    expect(open(node)).toEqual([]);
    node.pass(seconds(6), ["b", "s"]);
    expect(open(node)).toMatchObject([
      {
        incident: incidentId(MESH, "link-problem", "s", 0, `path ${SECOND_OF_S}`),
        subject: "s",
        topic: `path ${SECOND_OF_S}`,
        verdict: "link-problem",
        detail: `not reachable at ${SECOND_OF_S}, heard by ${FIRST_OF_S}`,
      },
    ]);
    expect(node.verdict("s")).toBe("alive");
    reachable = true;
    node.pass(seconds(4), ["b", "s"]);
    expect(open(node)).toEqual([]);
    expect(node.incidents("link-problem").map((each) => node.endOf(each))).toEqual(["returned"]);
  });

  it("has none while some looks succeed", () => {
    let looks = 0;
    const node = withTwoNetworks((address) => address !== SECOND_OF_S || ++looks % 3 === 0);
    node.pass(minutes(3), ["b", "s"]);
    expect(open(node)).toEqual([]);
  });

  it("is not spoken of once the host itself is down", () => {
    const node = withTwoNetworks((address) => address !== SECOND_OF_S && address !== FIRST_OF_S);
    node.pass(seconds(15), ["b", "s"]);
    expect(open(node)).toHaveLength(1);
    node.pass(seconds(3), ["b"]);
    expect(node.incidents("link-problem").map((each) => node.endOf(each))).toEqual(["replaced"]);
  });
});

describe("who reaches nobody in one network", () => {
  const noSecondNetwork = (address: string): boolean => !address.startsWith("127.0.1.");

  it("says so of all of them, five seconds later than of a single one", () => {
    const node = withTwoNetworks(noSecondNetwork);
    node.pass(seconds(13), ["b", "s"]);
    expect(open(node)).toEqual([]);
    node.pass(seconds(6), ["b", "s"]);
    expect(open(node).map(({ topic }) => topic)).toEqual([`path ${SECOND_OF_B}`, `path ${SECOND_OF_S}`]);
  });

  it.each([100, 105, 110, 115, 120, 125])(
    "names none alone, whoever answered there last, after %d s",
    (wellFor) => {
      let lost = false;
      const node = withTwoNetworks((address) => !lost || noSecondNetwork(address));
      node.pass(seconds(wellFor), ["b", "s"]);
      lost = true;
      for (let second = 0; second < 60 && open(node).length === 0; second += 1)
        node.pass(seconds(1), ["b", "s"]);
      node.pass(seconds(1), ["b", "s"]);
      expect(open(node)).toHaveLength(2);
    },
  );

  /** b's word that it does not reach a there. */
  const missesThis = (detail: string): LedgerRecord => {
    const topic = "path 127.0.1.1:7097";
    const kind = "link-problem";
    return {
      ...{ t: "incident", kind, subject: "a", name: "a", incarnation: 0, verdict: kind, topic, by: "b" },
      incident: incidentId(MESH, kind, "a", 0, topic),
      since: wallTime(START),
      detail,
    };
  };

  it("takes the fault for its own where one that reaches others does not reach it, sooner or later", () => {
    const record = missesThis("not reachable at 127.0.1.1:7097, heard by 127.0.0.1:7097");
    const early = withTwoNetworks(noSecondNetwork);
    early.pass(seconds(10), ["b", "s"]);
    early.say("b", { t: "ledger", records: [record] });
    early.pass(minutes(2), ["b", "s"]);
    expect(early.incidents("link-problem")).toEqual([record]);
    const late = withTwoNetworks(noSecondNetwork);
    late.pass(seconds(20), ["b", "s"]);
    expect(open(late)).toHaveLength(2);
    late.say("b", { t: "ledger", records: [record] });
    late.pass(seconds(1), ["b", "s"]);
    expect(open(late)).toEqual([record]);
    expect(late.incidents("link-problem").map((each) => late.endOf(each))).toContain("replaced");
  });

  it("forgets whom it missed once it is reached there again itself", () => {
    let reachable = false;
    const node = withTwoNetworks((address) => reachable || noSecondNetwork(address));
    const record = missesThis("not reachable at 127.0.1.1:7097, heard by 127.0.0.1:7097");
    node.pass(seconds(10), ["b", "s"]);
    node.say("b", { t: "ledger", records: [record] });
    node.pass(seconds(30), ["b", "s"]);
    reachable = true;
    const { incident } = record as Extract<LedgerRecord, { t: "incident" }>;
    const ended: LedgerRecord = { t: "resolved", incident, at: wallTime(START), by: "b", how: "returned" };
    node.say("b", { t: "ledger", records: [ended] });
    node.pass(seconds(10), ["b", "s"]);
    expect(node.incidents("link-problem")).toEqual([record]);
  });

  it("does not, where that one reaches nobody either: then all of them are named", () => {
    const node = withTwoNetworks(noSecondNetwork);
    node.pass(seconds(10), ["b", "s"]);
    const another = withTwoNetworks(noSecondNetwork);
    another.pass(seconds(20), ["b", "s"]);
    const words = open(another)[0]?.detail;
    node.say("b", { t: "ledger", records: [missesThis(words ?? "")] });
    node.pass(seconds(10), ["b", "s"]);
    expect(open(node)).toHaveLength(3);
  });
});
