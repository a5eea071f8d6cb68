import { describe, expect, it } from "vitest";
import type { ChannelRef } from "../core/types.ts";
import { fallbackFindings } from "./doctor.ts";

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
});
