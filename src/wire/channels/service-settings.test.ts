/** Settings of the services that take incidents rather than messages, and of what is pinged. */
import { describe, expect, it } from "vitest";
import {
  channelConfig,
  channelRef,
  channelSecrets,
  describeChannel,
  heartbeatRef,
  separated,
  type ToldConfig,
} from "../channel-config.ts";
import { parseConfig } from "../config.ts";

const ROUTING_KEY = "0123456789abcdefABCDEF0123456789";
const MINIMAL = {
  alertmanager: { type: "alertmanager", urls: ["http://10.0.0.9:9093"] },
  apprise: { type: "apprise", url: "http://10.0.0.9:8000" },
  deadman: { type: "deadman", url: "https://hc-ping.example/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278" },
  matrix: { type: "matrix", url: "https://matrix.example", room: "!abc:example.org", token: "syt_abcdef" },
  pagerduty: { type: "pagerduty", routingKey: ROUTING_KEY },
} as const;
type Type = keyof typeof MINIMAL;

const settings = (type: Type, more: object = {}): object => ({ name: "phone", ...MINIMAL[type], ...more });

function refusal(type: Type, more: object): string[] {
  const parsed = channelConfig.safeParse(settings(type, more));
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

describe("settings of a service", () => {
  it.each(Object.keys(MINIMAL) as Type[])("of type %s come back as they were written", (type) => {
    expect(channelConfig.parse(settings(type))).toEqual(settings(type));
  });

  it.each<[Type, object, RegExp]>([
    ["matrix", { room: "#room:example.org" }, /room: must be a room's id/],
    ["matrix", { room: "!has a space" }, /room: must be a room's id/],
    ["matrix", { url: "matrix.example" }, /url: must begin with https/],
    ["matrix", { token: "line\nbreak" }, /token: must be an access token/],
    ["matrix", { token: undefined }, /token: is missing/],
    ["matrix", { tokenFile: "/etc/token" }, /tokenFile: is given together with `token`/],
    ["matrix", { token: undefined, tokenFile: "etc/token" }, /tokenFile: must be an absolute path/],
    ["pagerduty", { routingKey: ROUTING_KEY.slice(1) }, /routingKey: must be an integration key/],
    ["pagerduty", { routingKey: undefined }, /routingKey: is missing/],
    ["pagerduty", { routingKeyFile: "/etc/key" }, /routingKeyFile: is given together/],
    ["pagerduty", { url: "events.pagerduty.com" }, /url: must begin with https/],
    ["alertmanager", { urls: [] }, /urls: /],
    ["alertmanager", { urls: Array.from({ length: 9 }, () => "http://a.example") }, /urls: /],
    ["alertmanager", { urls: ["ftp://a.example"] }, /urls\.0: must begin with https/],
    ["alertmanager", { token: "with a space" }, /token: must be a token/],
    ["alertmanager", { token: "s3cr3t-token", tokenFile: "/etc/token" }, /tokenFile: is given together/],
    ["alertmanager", { urls: ["http://u:p@a.example"], token: "s3cr3t-token" }, /urls\.0: has a user/],
    ["alertmanager", { url: "http://a.example" }, /url/],
    ["apprise", { key: "no/slash" }, /key: must be 1 to 64/],
    ["apprise", { key: "a", services: ["ntfy://a"] }, /services: are given together with `key`/],
    ["apprise", { services: [] }, /services: /],
    ["apprise", { services: ["no url"] }, /services\.0: must be an Apprise URL/],
    ["apprise", { services: Array.from({ length: 21 }, () => "ntfy://a") }, /services: /],
    ["apprise", { tag: "night" }, /tag: needs a `key`/],
    ["apprise", { key: "a", tag: "a;b" }, /tag: must be tags/],
    ["deadman", { every: "29s" }, /every: must be a duration from 30s to 1d/],
    ["deadman", { every: "25h" }, /every: must be a duration/],
    ["deadman", { every: "often" }, /every: must be a duration/],
    ["deadman", { url: "hc-ping.example" }, /url: must begin with https/],
    ["deadman", { minSeverity: "warning" }, /minSeverity/],
    ["deadman", { fallback: "other" }, /fallback/],
  ])("of type %s are refused: %j", (type, more, problem) => {
    expect(refusal(type, more).join("\n")).toMatch(problem);
  });

  it("say where messages go, and nothing else", () => {
    const shown = (Object.keys(MINIMAL) as Type[]).map((type) =>
      describeChannel(channelConfig.parse(settings(type))),
    );
    expect(shown).toEqual([
      "phone (alertmanager, 10.0.0.9:9093)",
      "phone (apprise, 10.0.0.9:8000)",
      "phone (deadman, hc-ping.example)",
      "phone (matrix, matrix.example)",
      "phone (pagerduty, events.pagerduty.com)",
    ]);
  });

  it.each<[Type, object, readonly string[]]>([
    ["matrix", {}, ["syt_abcdef"]],
    ["pagerduty", {}, [ROUTING_KEY]],
    [
      "alertmanager",
      { urls: ["http://user:p%40ss@a.example", "http://b.example/pre-fix"] },
      ["p@ss", "pre-fix"],
    ],
    ["alertmanager", { token: "b3arer-token" }, ["b3arer-token"]],
    ["apprise", { key: "my-own-key" }, ["my-own-key"]],
    ["apprise", { services: ["tgram://123:AbCd/chat", "mailto://me:pa55@example.org"] }, ["AbCd", "pa55"]],
    ["deadman", {}, ["5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"]],
  ])("of type %s keep %j to themselves", (type, more, secrets) => {
    expect(channelSecrets(channelConfig.parse(settings(type, more)))).toEqual(
      expect.arrayContaining([...secrets]),
    );
  });

  it("have an Alertmanager's alerts sent again well before they end", () => {
    const ref = channelRef(channelConfig.parse(settings("alertmanager")) as ToldConfig);
    expect(ref).toEqual({ name: "phone", type: "alertmanager", resendEvery: 120_000 });
    expect(channelRef(channelConfig.parse(settings("matrix")) as ToldConfig)).not.toHaveProperty(
      "resendEvery",
    );
  });
});

describe("heartbeats", () => {
  it("stand among the channels and are kept apart from those that are told", () => {
    const all = (["matrix", "deadman", "pagerduty"] as const).map((type, index) =>
      channelConfig.parse(settings(type, { name: `c${index}` })),
    );
    const { told, heartbeats } = separated(all);
    expect(told.map(({ name }) => name)).toEqual(["c0", "c2"]);
    expect(heartbeats.map(heartbeatRef)).toEqual([{ name: "c1", every: 60_000 }]);
  });

  it("are no fallback", () => {
    const text = JSON.stringify({
      channels: [settings("matrix", { fallback: "hc" }), settings("deadman", { name: "hc" })],
    });
    const parsed = parseConfig(text, "config.yaml");
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).toContain("is a heartbeat, which is told nothing");
  });
});
