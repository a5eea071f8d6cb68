import fc from "fast-check";
import { expect, test } from "vitest";
import {
  encodeJoinLine,
  type JoinRequest,
  joinProofText,
  parseJoinAnswer,
  parseJoinHello,
  parseJoinRequest,
} from "./join.ts";

const request: JoinRequest = {
  schema: 1,
  token: "00ff10a5b6c7d8e9",
  name: "pve2",
  addresses: ["10.0.0.2:7654"],
  csr: "PEM",
  proof: "p".repeat(86),
};

test("a request survives its line, and fields of later releases are ignored", () => {
  expect(parseJoinRequest(encodeJoinLine(request))).toEqual({ ok: true, value: request });
  expect(parseJoinRequest(JSON.stringify({ ...request, later: true }))).toEqual({ ok: true, value: request });
});

test.each<[string, Record<string, unknown>]>([
  ["a name with a line break", { name: "pve2\nx" }],
  ["an address that is a name", { addresses: ["pve2.example:7654"] }],
  ["no address", { addresses: [] }],
  ["nine addresses", { addresses: Array.from({ length: 9 }, (_, index) => `10.0.0.${index}:1`) }],
  ["a proof that is no signature", { proof: "x" }],
  ["a token id that is none", { token: "../../etc" }],
  ["a huge certificate request", { csr: "x".repeat(9000) }],
])("a request with %s is refused", (_what, change) => {
  expect(parseJoinRequest(JSON.stringify({ ...request, ...change }))).toMatchObject({
    ok: false,
    error: { code: "protocol-violation" },
  });
});

test("a refusal with an unknown code still reads as a refusal", () => {
  const line = JSON.stringify({
    schema: 1,
    ok: false,
    error: { code: "of-tomorrow", message: "no", retry: false },
  });
  expect(parseJoinAnswer(line)).toMatchObject({
    ok: true,
    value: { ok: false, error: { code: "join-refused" } },
  });
});

test("each part of the proof changes what is signed", () => {
  const base = { exporterHex: "aa", csrSha256: "bb", token: "cc", name: "dd", addresses: ["e", "f"] };
  const texts = [
    base,
    { ...base, exporterHex: "ab" },
    { ...base, csrSha256: "ba" },
    { ...base, token: "ca" },
    { ...base, name: "da" },
    { ...base, addresses: ["e"] },
    { ...base, addresses: ["f", "e"] },
  ].map(joinProofText);
  expect(new Set(texts).size).toBe(texts.length);
});

test("no line makes a parser throw", () => {
  for (const parse of [parseJoinHello, parseJoinRequest, parseJoinAnswer]) {
    fc.assert(fc.property(fc.string(), (line) => void parse(line)));
    fc.assert(fc.property(fc.json(), (line) => void parse(line)));
  }
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(request)), fc.jsonValue(), (key, value) => {
      parseJoinRequest(JSON.stringify({ ...request, [key]: value }));
    }),
  );
});
