import { describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { hostSample } from "../../test/contract/sample-readings.ts";
import { seconds } from "../kit/time.ts";
import { openIncident } from "./incidents.ts";
import { openAbout } from "./ledger.ts";
import { incidentViews } from "./view-of.ts";

const troubles = (node: LoneNode): (string | undefined)[] =>
  openAbout(node.state.ledger, "s").map(({ detail }) => detail);

/** A host whose CPU has been at 99 °C for a minute. */
function hotHost(): LoneNode {
  const s = new LoneNode(["s", "a"]);
  s.connect("a");
  for (let pass = 0; pass < 6; pass += 1) {
    s.now += seconds(10);
    s.input({ type: "readings", readings: hostSample(99) });
  }
  return s;
}

describe("sensors that are not watched any more", () => {
  it("end what was open about them, at once", () => {
    const s = hotHost();
    expect(troubles(s)).toContain("CPU: 99 °C, critical from 95 °C");
    s.input({ type: "readings", readings: [], unwatched: true });
    expect(troubles(s)).toEqual([]);
  });

  it("are not missed, and what is wrong once they are watched again counts anew", () => {
    const s = hotHost();
    s.input({ type: "readings", readings: [], unwatched: true });
    s.now += seconds(600);
    s.input({ type: "readings", readings: hostSample(99) });
    expect(troubles(s)).toEqual([]);
    s.now += seconds(40);
    s.input({ type: "readings", readings: hostSample(99) });
    expect(troubles(s)).toContain("CPU: 99 °C, critical from 95 °C");
  });

  it("of an earlier life too", () => {
    const before = hotHost();
    const stored = [...before.disk].map(([key, value]) => ({ key, value }));
    const s = new LoneNode(["s", "a"], stored);
    expect(troubles(s)).not.toEqual([]);
    s.input({ type: "readings", readings: [], unwatched: true });
    expect(troubles(s)).toEqual([]);
  });
});

describe("what was open about a host's sensors when it went away", () => {
  it("is unknown to the others until it is back, and never called over meanwhile", () => {
    const a = new LoneNode(["a", "b", "s"]);
    for (const peer of ["b", "s"]) a.connect(peer);
    a.pass(1000, ["b", "s"]);
    openIncident(
      { state: a.state, env: a.env(), effects: [], news: [] },
      {
        ...{ kind: "heat", subject: "s", name: "s", incarnation: 1, verdict: "alive" },
        ...{ since: a.env().wall, topic: "k1 critical", detail: "CPU: 99 °C, critical from 95 °C" },
      },
    );
    const seen = () =>
      incidentViews(a.state).flatMap(({ kind, unknown, resolved }) =>
        kind === "heat" ? [{ unknown, resolved }] : [],
      );
    expect(seen()).toEqual([{ unknown: false, resolved: undefined }]);
    a.say("s", { t: "goodbye", incarnation: 1, reason: "stop", why: "shutdown" });
    a.input({ type: "session-down", peer: "s", session: "with s", end: "goodbye" });
    a.pass(20_000, ["b"]);
    expect(seen()).toEqual([{ unknown: true, resolved: undefined }]);
    a.connect("s");
    a.pass(3000, ["b", "s"], { incarnation: 2 });
    expect(seen()).toEqual([{ unknown: false, resolved: undefined }]);
  });
});
