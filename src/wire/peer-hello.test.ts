import fc from "fast-check";
import { expect, it } from "vitest";
import { SAMPLE_HELLO } from "../../test/contract/protocol-samples.ts";
import { commonVersion, decodeBye, decodeHello, encodeBye, encodeHello } from "./peer-hello.ts";

const codeOf = (text: string): string | undefined => {
  const result = decodeHello(text);
  return result.ok ? undefined : result.error.code;
};

it("a hello is read as it was meant, with and without a session that ended", () => {
  const { ended: _, ...fresh } = SAMPLE_HELLO;
  for (const hello of [SAMPLE_HELLO, fresh])
    expect(decodeHello(encodeHello(hello))).toEqual({ ok: true, value: hello });
});

it("fields of a newer release are ignored", () => {
  const text = JSON.stringify({ ...JSON.parse(encodeHello(SAMPLE_HELLO)), compression: ["zstd"] });
  expect(decodeHello(text)).toEqual({ ok: true, value: SAMPLE_HELLO });
});

it("a release without a common version is told apart from garbage, whatever else its hello looks like", () => {
  expect(codeOf('{"versions":[9,9],"nothing":"else"}')).toBe("version-unsupported");
  expect(codeOf('{"versions":[0,0]}')).toBe("version-unsupported");
  expect(codeOf('{"versions":[1,9]}')).toBe("protocol-violation");
  expect(codeOf('{"versions":"1"}')).toBe("protocol-violation");
  expect(codeOf("\0")).toBe("protocol-violation");
});

it("an older and a newer release settle on the newest version both speak", () => {
  expect(commonVersion({ min: 1, max: 3 }, { min: 2, max: 5 })).toBe(3);
  expect(commonVersion({ min: 1, max: 1 }, { min: 1, max: 9 })).toBe(1);
  expect(commonVersion({ min: 1, max: 1 }, { min: 2, max: 9 })).toBeUndefined();
  expect(commonVersion({ min: 2, max: 1 }, { min: 1, max: 2 })).toBeUndefined();
});

it("a bye of any shape is an orderly end", () => {
  expect(decodeBye(encodeBye("revoked"))).toBe("revoked");
  expect(decodeBye('{"reason":"lunch"}')).toBe("hang-up");
  expect(decodeBye("")).toBe("hang-up");
});

it("no bytes make it throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      decodeHello(text);
      decodeBye(text);
    }),
  );
});
