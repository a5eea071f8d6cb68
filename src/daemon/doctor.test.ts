import { describe, expect, it } from "vitest";
import type { ChannelRef } from "../core/types.ts";
import { fallbackFindings, httpFindings } from "./doctor.ts";

const channel = (name: string, more: Partial<ChannelRef> = {}): ChannelRef => ({
  name,
  type: "webhook",
  ...more,
});

describe("doctor", () => {
  it("finds nothing in fallbacks that are there", () => {
    const channels = [channel("a", { fallback: "b" }), channel("b", { onlyAsFallback: true }), channel("c")];
    expect(fallbackFindings(channels)).toEqual([]);
  });

  it("warns of a fallback that this node does not have", () => {
    expect(fallbackFindings([channel("a", { fallback: "gone" })])).toMatchObject([
      { check: "fallback of a", level: "warning", finding: "this node has no channel gone" },
    ]);
  });

  it("warns of a channel that is only a fallback, and no channel's", () => {
    expect(fallbackFindings([channel("a"), channel("b", { onlyAsFallback: true })])).toMatchObject([
      { check: "channel b", level: "warning", finding: expect.stringContaining("never used") },
    ]);
  });

  it("says where the HTTP port is, and warns when it does not answer or cannot be had", () => {
    const listening = { kind: "listening", address: "127.0.0.1:7655" } as const;
    const failure = {
      code: "address-in-use",
      message: "it is in use",
      remedy: "Move.",
      retry: true,
    } as const;
    const failing = { kind: "failing", address: "127.0.0.1:7655", failure } as const;
    expect(httpFindings({ state: { kind: "off" }, answers: false })).toEqual([]);
    expect(httpFindings({ state: listening, answers: true })).toMatchObject([
      { level: "ok", finding: "metrics and health at http://127.0.0.1:7655" },
    ]);
    expect(httpFindings({ state: listening, answers: false })).toMatchObject([
      { level: "warning", finding: "http://127.0.0.1:7655 does not answer" },
    ]);
    expect(httpFindings({ state: failing, answers: false })).toMatchObject([
      { level: "warning", finding: "it is in use", remedy: "Move." },
    ]);
  });
});
