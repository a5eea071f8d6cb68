import { describe, expect, it } from "vitest";
import { LoneNode, MESH, START } from "../../test/contract/lone-node.ts";
import { minutes, wallTime } from "../kit/time.ts";
import { incidentId } from "./incident-id.ts";
import type { LedgerRecord } from "./ledger-records.ts";

/** A node `a` that no longer hears `s`, while `b` says that it does. */
function oneDirectionDead(node: LoneNode, milliseconds: number): void {
  for (let passed = 0; passed < milliseconds; passed += 50) {
    node.pass(50, passed % 200 === 0 ? ["b"] : []);
    const answer = { t: "answer", subject: "s", incarnation: 1, path: "datagram", probe: "none" } as const;
    node.say("b", { ...answer, state: "hearing", heard: 20 });
  }
}

function meshOfThree(): LoneNode {
  const node = new LoneNode(["a", "b", "s"]);
  for (const peer of ["b", "s"]) node.connect(peer);
  node.pass(1000, ["b", "s"]);
  return node;
}

const open = (node: LoneNode) =>
  node.incidents("link-problem").filter((each) => node.endOf(each) === undefined);

describe("who does not hear a node that another one hears", () => {
  it("says so after three seconds, in both names and with what it has seen", () => {
    const node = meshOfThree();
    oneDirectionDead(node, 3000);
    expect(node.verdict("s")).toBe("link-problem");
    expect(open(node)).toEqual([]);
    oneDirectionDead(node, 1500);
    expect(open(node)).toMatchObject([
      {
        subject: "s",
        topic: "a",
        by: "a",
        incarnation: 0,
        verdict: "link-problem",
        detail: "heard by b; 127.0.0.1:7115 does not answer here",
      },
    ]);
    const evidence = [...node.state.ledger.records.values()].filter(({ t }) => t === "evidence");
    expect(evidence).toMatchObject([{ observer: "a", probe: "silent" }]);
  });

  it("takes it back once it has heard it for a second, and numbers the next time anew", () => {
    const node = meshOfThree();
    oneDirectionDead(node, 5000);
    node.pass(800, ["b", "s"]);
    expect(open(node)).toHaveLength(1);
    node.pass(600, ["b", "s"]);
    expect(node.incidents("link-problem").map((each) => node.endOf(each))).toEqual(["returned"]);
    oneDirectionDead(node, 6000);
    expect(open(node)).toMatchObject([{ incarnation: 1 }]);
  });

  it("takes back what it said in an earlier run", () => {
    const before = meshOfThree();
    oneDirectionDead(before, 5000);
    const stored = [...before.disk].map(([key, value]) => ({ key, value }));
    const node = new LoneNode(["a", "b", "s"], stored);
    expect(open(node)).toHaveLength(1);
    for (const peer of ["b", "s"]) node.connect(peer);
    node.pass(2000, ["b", "s"]);
    expect(open(node)).toEqual([]);
  });

  it("has nothing more to say about the link once the subject is down", () => {
    const node = meshOfThree();
    oneDirectionDead(node, 5000);
    node.pass(6000, ["b"]);
    expect(node.verdict("s")).toMatch(/host-down|unreachable/);
    expect(node.incidents("link-problem").map((each) => node.endOf(each))).toEqual(["replaced"]);
    node.pass(6000, ["b"]);
    expect(node.incidents("link-problem")).toHaveLength(1);
  });
});

describe("who is told that it is not heard", () => {
  const deaf = { view: "suspect", heard: 9000 } as const;

  it("says so in the deaf one's stead after five seconds, under the id that one would give it", () => {
    const node = meshOfThree();
    node.pass(4800, ["s"], deaf);
    expect(node.incidents("link-problem")).toEqual([]);
    node.pass(800, ["b"]);
    node.pass(600, ["s"], deaf);
    expect(open(node)).toMatchObject([
      {
        incident: incidentId(MESH, "link-problem", "a", 0, "s"),
        subject: "a",
        topic: "s",
        detail: "s says that it does not hear a, which hears it",
      },
    ]);
  });

  it("says nothing where the deaf one's own word came through", () => {
    const node = meshOfThree();
    const kind = "link-problem";
    const record: LedgerRecord = {
      ...{ t: "incident", kind, subject: "a", name: "a", incarnation: 0, verdict: kind, topic: "s", by: "s" },
      incident: incidentId(MESH, kind, "a", 0, "s"),
      since: wallTime(START),
      detail: "its own words",
    };
    node.say("s", { t: "ledger", records: [record] });
    node.pass(8000, ["s"], deaf);
    expect(node.incidents(kind)).toEqual([record]);
    expect(node.state.incarnation).toBe(1);
  });

  it("says nothing while its datagrams arrive there, whatever is thought of it", () => {
    const node = meshOfThree();
    node.pass(8000, ["b", "s"], { view: "unknown", heard: 150 });
    expect(node.incidents("link-problem")).toEqual([]);
  });

  it("takes it back when the deaf one says that it hears", () => {
    const node = meshOfThree();
    node.pass(6000, ["b", "s"], deaf);
    expect(open(node)).toHaveLength(2);
    node.pass(3000, ["b", "s"]);
    expect(open(node)).toEqual([]);
  });

  it("has nothing more to say once the deaf one is down", () => {
    const node = meshOfThree();
    node.pass(6000, ["s"], deaf);
    node.pass(minutes(1), ["b"]);
    const ends = node.incidents("link-problem").map((each) => [each.topic, node.endOf(each)]);
    expect(ends).toContainEqual(["s", "replaced"]);
  });

  it("gives one that was away its five seconds, whatever it said before it went", () => {
    const node = meshOfThree();
    node.pass(400, ["s"], deaf);
    node.pass(minutes(1), ["b"]);
    expect(node.verdict("s")).toMatch(/host-down|unreachable/);
    node.pass(4000, ["s"], { ...deaf, incarnation: 2 });
    expect(node.verdict("s")).toBe("alive");
    expect(node.incidents("link-problem").filter(({ topic }) => topic === "s")).toEqual([]);
  });
});
