import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SAMPLES } from "../../test/contract/protocol-samples.ts";
import type { Envelope } from "../core/messages.ts";
import {
  ACK_NUMBERS_MAX,
  decodeEnvelope,
  ENVELOPE_BYTES_MAX,
  encodeEnvelope,
  ROSTER_CHARS_MAX,
  SUMMARY_KEYS_MAX,
} from "./envelope.ts";
import { RECORDS_PER_MESSAGE_MAX } from "./peer-records.ts";

const recorded = (kind: string): string =>
  readFileSync(new URL(`../../test/fixtures/protocol-v1/${kind}.json`, import.meta.url), "utf8");
const kinds = Object.keys(SAMPLES) as (keyof typeof SAMPLES)[];

/** The sample with some of its message's fields replaced. */
const altered = (kind: keyof typeof SAMPLES, fields: object): string =>
  JSON.stringify({ v: 1, m: { ...SAMPLES[kind].message, ...fields } });
const decoded = (text: string): Envelope => {
  const result = decodeEnvelope(text);
  if (!result.ok || result.value === "unknown-message") throw new Error(JSON.stringify(result));
  return result.value;
};
const code = (text: string): string | undefined => {
  const result = decodeEnvelope(text);
  return result.ok ? undefined : result.error.code;
};

describe("the bytes of release 1", () => {
  it.each(kinds)("%s, as recorded, still means the same", (kind) => {
    expect(decodeEnvelope(recorded(kind))).toEqual({ ok: true, value: SAMPLES[kind] });
  });
  it.each(kinds)("%s written today is read as it was meant", (kind) => {
    expect(decoded(encodeEnvelope(SAMPLES[kind]))).toEqual(SAMPLES[kind]);
  });
});

describe("a newer release's message under the same version", () => {
  it("is read without the fields this release does not know", () => {
    const text = JSON.stringify({ v: 1, n: 3, later: [], m: { ...SAMPLES.ask.message, mood: { a: 1 } } });
    expect(decoded(text)).toEqual({ ...SAMPLES.ask, number: 3 });
  });
  it("of an unknown kind is skipped without an error", () => {
    expect(decodeEnvelope('{"v":1,"m":{"t":"thermal-news","readings":[]}}')).toEqual({
      ok: true,
      value: "unknown-message",
    });
    expect(decodeEnvelope(altered("request", { method: "promote" }))).toEqual({
      ok: true,
      value: "unknown-message",
    });
  });
  it("of a kind that names a property every object has is unknown, too", () => {
    expect(decodeEnvelope('{"v":1,"m":{"t":"__proto__"}}')).toEqual({ ok: true, value: "unknown-message" });
    expect(decodeEnvelope('{"v":1,"m":{"t":"constructor"}}')).toEqual({ ok: true, value: "unknown-message" });
  });
  it("with a verdict, path or probe unknown here still counts, and claims nothing", () => {
    expect(decoded(altered("beat", { view: "bewitched" })).message).toMatchObject({
      view: "unknown",
      seq: 123_456,
    });
    expect(
      decoded(altered("answer", { state: "asleep", path: "carrier-pigeon", probe: "echoed" })).message,
    ).toMatchObject({
      state: "unknown",
      path: "none",
      probe: "none",
    });
  });
  it("loses only the records that this release cannot read", () => {
    const message = SAMPLES.ledger.message;
    const records = "records" in message ? message.records : [];
    const text = altered("ledger", {
      records: [
        { t: "flapping", incident: "x" },
        records[0],
        { ...records[1], probe: "echoed" },
        records[2],
        5,
        null,
      ],
    });
    expect(decoded(text).message).toEqual({ t: "ledger", records: [records[0], records[2]] });
  });
});

describe("refused with a reason", () => {
  it.each([
    ["another version", '{"v":2,"m":{"t":"ack","numbers":[]}}', "version-unsupported"],
    ["no version", '{"m":{"t":"ack","numbers":[]}}', "version-unsupported"],
    ["no JSON", "}{", "protocol-violation"],
    ["no object", "[1]", "protocol-violation"],
    ["no message", '{"v":1}', "protocol-violation"],
    ["a message without a kind", '{"v":1,"m":{}}', "protocol-violation"],
    ["a number that is none", '{"v":1,"n":"1","m":{"t":"ack","numbers":[]}}', "protocol-violation"],
    ["a negative number", '{"v":1,"n":-1,"m":{"t":"ack","numbers":[]}}', "protocol-violation"],
    ["a beat without its count", altered("beat", { seq: undefined }), "protocol-violation"],
    ["a beat that counts in fractions", altered("beat", { seq: 1.5 }), "protocol-violation"],
    ["a time out of range", altered("beat", { wall: 1e300 }), "protocol-violation"],
    [
      "too many records",
      altered("ledger", { records: Array(RECORDS_PER_MESSAGE_MAX + 1).fill({}) }),
      "protocol-violation",
    ],
    [
      "too many acknowledgements",
      altered("ack", { numbers: Array(ACK_NUMBERS_MAX + 1).fill(1) }),
      "protocol-violation",
    ],
    [
      "too long a roster",
      altered("roster", { signed: "r".repeat(ROSTER_CHARS_MAX + 1) }),
      "protocol-violation",
    ],
    [
      "too many keys",
      altered("ledger-summary", { keys: Array(SUMMARY_KEYS_MAX + 1).fill(["k", "v"]) }),
      "protocol-violation",
    ],
    ["an id without end", altered("ask", { subject: "x".repeat(200) }), "protocol-violation"],
    ["too long a text", " ".repeat(ENVELOPE_BYTES_MAX + 1), "limit-reached"],
  ])("%s", (_what, text, expected) => {
    expect(code(text)).toBe(expected);
  });

  it("without repeating what the stranger wrote", () => {
    const result = decodeEnvelope(altered("ask", { subject: { secret: "hunter2" } }));
    expect(JSON.stringify(result)).not.toContain("hunter2");
  });
});

describe("whatever arrives", () => {
  it("does not throw on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        decodeEnvelope(Buffer.from(bytes).toString("utf8"));
      }),
    );
  });
  it("does not throw on any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...kinds), (value, kind) => {
        decodeEnvelope(JSON.stringify(value));
        decodeEnvelope(JSON.stringify({ v: 1, m: value }));
        const fields =
          typeof value === "object" ? (value ?? {}) : { numbers: value, records: value, keys: value };
        decodeEnvelope(altered(kind, fields));
      }),
    );
  });
  it("does not throw on a damaged message, nor take a flipped one for another kind of thing", () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.nat(), fc.integer({ min: 1, max: 255 }), (kind, at, flip) => {
        const bytes = Buffer.from(recorded(kind));
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ flip;
        const result = decodeEnvelope(bytes.toString("utf8"));
        if (result.ok && result.value !== "unknown-message")
          expect(typeof result.value.message.t).toBe("string");
      }),
    );
  });
});
