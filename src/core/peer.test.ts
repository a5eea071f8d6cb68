import { expect, it } from "vitest";
import { instant, ms, wallTime } from "../kit/time.ts";
import { createPeer, learnFromBeat, type Peer } from "./peer.ts";

const PERIOD = 200;

/** The next beat of the peer echoes one of ours that was sent this long ago. */
function hearEcho(peer: Peer, seq: number, roundTrip: number): void {
  const now = seq * PERIOD;
  peer.beatsSent.push({ seq, at: instant(now - roundTrip) });
  learnFromBeat(
    peer,
    {
      t: "beat",
      seq,
      incarnation: 1,
      boot: "boot",
      period: PERIOD,
      view: "alive",
      viewIncarnation: 1,
      roster: { generation: 1, term: 1, opener: "opener-a", epoch: 1 },
      ledger: "000000000000",
      wall: now,
      echo: { seq, held: 0 },
    },
    instant(now),
    wallTime(now),
  );
}

it("knows the least round trip of a path, whatever its daemons were late, and follows where the path becomes longer", () => {
  const member = { id: "b", name: "b", addresses: ["192.0.2.2:7654"] };
  const peer = createPeer(member, ms(PERIOD), instant(0), wallTime(0));
  let seq = 0;
  const hear = (roundTrip: number): void => {
    seq += 1;
    hearEcho(peer, seq, roundTrip);
  };
  for (let each = 0; each < 40; each += 1) hear(each % 5 === 0 ? 1 : 50);
  expect(peer.rtt).toBeGreaterThan(20);
  expect(peer.rttLeast).toBeLessThan(6);
  for (let each = 0; each < 300; each += 1) hear(60);
  expect(peer.rttLeast).toBeGreaterThan(55);
});
