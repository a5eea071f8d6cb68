import { expect, it } from "vitest";
import { parseLedgerRecord } from "./peer-records.ts";

const told = {
  message: "1",
  incidents: [],
  node: "b",
  at: 1,
  phase: "open",
};

it("lets nothing steer a terminal, a journal or a message", () => {
  const steering = "a\u001b[2Jb\rc\u202ed";
  const delivery = {
    ...told,
    t: "delivery",
    channel: "phone",
    outcome: "delivered",
    attempt: 1,
    detail: steering,
  };
  expect(parseLedgerRecord(delivery)).toMatchObject({ detail: "a [2Jb c d" });
  const message = { ...told, t: "message", title: `${steering}\n`, text: `${steering}\nnext` };
  expect(parseLedgerRecord(message)).toMatchObject({ title: "a [2Jb c d ", text: "a [2Jb c d\nnext" });
});

it("takes no incident whose verdict is none, nor a life that could not be followed by another", () => {
  const incident = {
    t: "incident",
    incident: "0".repeat(32),
    kind: "down",
    subject: "s",
    name: "s",
    incarnation: 1,
    verdict: "host-down",
    since: 1,
    by: "b",
  };
  expect(parseLedgerRecord(incident)).toBeDefined();
  expect(parseLedgerRecord({ ...incident, verdict: "alive" })).toBeUndefined();
  expect(parseLedgerRecord({ ...incident, incarnation: Number.MAX_SAFE_INTEGER })).toBeUndefined();
});

it("takes no mute that could not be lifted or listed, and no intent about nothing", () => {
  const mute = {
    t: "mute",
    mute: "maintenance-s",
    purpose: "maintenance",
    matcher: {},
    subject: "s",
    revision: 1,
    at: 1,
    by: "root",
    why: "",
    ended: false,
  };
  expect(parseLedgerRecord(mute)).toBeDefined();
  expect(parseLedgerRecord({ ...mute, revision: 2e14 })).toBeUndefined();
  expect(parseLedgerRecord({ ...mute, subject: undefined })).toBeUndefined();
  expect(parseLedgerRecord({ ...mute, mute: "maintenance-t" })).toBeUndefined();
  expect(parseLedgerRecord({ ...mute, purpose: "silence" })).toBeUndefined();
  const intent = { t: "intent", message: "m", phase: "open", channel: "phone", node: "b", at: 1, renewal: 1 };
  expect(parseLedgerRecord({ ...intent, incidents: ["i"] })).toBeDefined();
  expect(parseLedgerRecord({ ...intent, incidents: [] })).toBeUndefined();
});
