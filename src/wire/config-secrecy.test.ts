import { describe, expect, it } from "vitest";
import { MASK, masked } from "./config-secrecy.ts";

const shown = (channel: Record<string, unknown>): unknown => masked(channel, ["channels", 0]);

describe("what may be shown of a channel", () => {
  it("is its name, type and route, and nothing that may be secret", () => {
    const route = {
      minSeverity: "warning",
      kinds: ["down"],
      fallback: "sms",
      onlyAsFallback: true,
      timeout: "5s",
    };
    expect(
      shown({ name: "phone", type: "ntfy", ...route, topic: "a-topic", token: "tk_1", title: "x" }),
    ).toEqual({
      name: "phone",
      type: "ntfy",
      ...route,
      topic: MASK,
      token: MASK,
      title: MASK,
    });
  });

  it("is the path of a file that holds a secret, but not the secret written in its place", () => {
    expect(shown({ tokenFile: "/etc/balefire/token", passwordFile: "hunter2-hunter2" })).toEqual({
      tokenFile: "/etc/balefire/token",
      passwordFile: MASK,
    });
  });
});
