import { describe, expect, it } from "vitest";
import { SAMPLE_NOTIFICATION } from "../../test/contract/sample-notification.ts";
import {
  channelConfig,
  channelRef,
  channelSecrets,
  describeChannel,
  type ToldConfig,
} from "./channel-config.ts";
import { timeoutOf } from "./channels/common.ts";
import type { WebhookConfig } from "./channels/webhook.ts";
import { fillTemplate, reworded, templateValues } from "./message-template.ts";

const MINIMAL = { name: "phone", type: "webhook", url: "https://ntfy.example/topic" } as const;

function refusal(settings: Record<string, unknown>): { path: string; message: string } {
  const parsed = channelConfig.safeParse({ ...MINIMAL, ...settings });
  if (parsed.success) throw new Error("it was not refused");
  const [first] = parsed.error.issues;
  return { path: first?.path.join(".") ?? "", message: first?.message ?? "" };
}

describe("a channel's settings", () => {
  it("need no more than name, type and url", () => {
    expect(channelConfig.parse(MINIMAL)).toEqual(MINIMAL);
  });

  it("stay as plain as they were written, and can be parsed again", () => {
    const whole = {
      ...MINIMAL,
      secret: "a shared secret",
      headers: { Authorization: "Bearer x" },
      template: '{"text": "{{text}}"}',
      contentType: "application/json",
      timeout: "1500ms",
    };
    const parsed = channelConfig.parse(whole);
    expect(parsed).toEqual(whole);
    expect(channelConfig.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(whole);
    expect(timeoutOf(parsed)).toBe(1500);
    expect(timeoutOf(channelConfig.parse(MINIMAL))).toBe(10_000);
  });

  it.each([
    [{ name: "Phone" }, "name", /lower-case/],
    [{ name: "a".repeat(64) }, "name", /1 to 63/],
    [{ name: "-a" }, "name", /inner hyphens/],
    [{ name: "inbox" }, "name", /built-in/],
    [{ type: "pager" }, "type", /./],
    [{ url: "ntfy.example/topic" }, "url", /begin with https/],
    [{ url: "file:///etc/passwd" }, "url", /begin with https/],
    [{ url: "https://" }, "url", /not a URL/],
    [{ url: "https://a b/" }, "url", /without spaces/],
    [{ url: "https://a\\@b/" }, "url", /percent-encode/],
    [{ url: "https://a@b@c/" }, "url", /not a URL/],
    [{ url: "https://host/#part" }, "url", /fragment/],
    [{ url: `https://host/${"x".repeat(2048)}` }, "url", /./],
    [{ secret: "short" }, "secret", /./],
    [{ secretFile: "relative/path" }, "secretFile", /absolute/],
    [{ secret: "long enough", secretFile: "/a" }, "secretFile", /together/],
    [{ headers: { "bad name": "x" } }, "headers.bad name", /not a header name/],
    [{ headers: { "X-A": "x\r\nX-B: y" } }, "headers.X-A", /one line/],
    [{ headers: { "Content-Length": "5" } }, "headers.Content-Length", /set by Balefire/],
    [{ headers: { "content-type": "text/plain" } }, "headers.content-type", /contentType/],
    [{ headers: { "Balefire-Signature": "sha256=00" } }, "headers.Balefire-Signature", /set by Balefire/],
    [
      { headers: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`X-${n}`, "v"])) },
      "headers",
      /more than 20/,
    ],
    [
      { template: "{{titel}}", contentType: "text/plain" },
      "template",
      /unknown placeholder \{\{titel\}\}; known are/,
    ],
    [{ template: '{"a": {{title}}}' }, "template", /valid JSON/],
    [{ contentType: "text/plain" }, "contentType", /needs a `template`/],
    [{ contentType: "text/plain\r\nX-A: b" }, "contentType", /media type/],
    [{ timeout: "500ms" }, "timeout", /1s to 30s/],
    [{ timeout: "31s" }, "timeout", /1s to 30s/],
    [{ timeout: "soon" }, "timeout", /1s to 30s/],
    [{ minSeverity: "urgent" }, "minSeverity", /./],
    [{ kinds: [] }, "kinds", /./],
    [{ kinds: ["test"] }, "kinds.0", /./],
    [{ fallback: "inbox" }, "fallback", /built-in/],
    [{ onlyAsFallback: "yes" }, "onlyAsFallback", /./],
    [{ title: "{{titel}}" }, "title", /unknown placeholder/],
    [{ title: "x".repeat(201) }, "title", /./],
    [{ text: "{{}}" }, "text", /unknown placeholder/],
    [{ text: "x".repeat(4097) }, "text", /./],
    [{ retries: 3 }, "", /retries/],
  ])("are refused with the key and the fix: %j", (settings, path, message) => {
    const refused = refusal(settings);
    expect(refused.path).toBe(path);
    expect(refused.message).toMatch(message);
  });

  it("never show a value when they are refused", () => {
    const value = "h1dden-value";
    const broken = [
      { url: `ftp://${value}/` },
      { url: `https://x:${value}@a@b/` },
      { secretFile: value, secret: value },
      { headers: { "X-A": `${value}\n` } },
      { timeout: value },
      { contentType: value },
      { name: `${value}!` },
    ];
    for (const settings of broken) {
      const parsed = channelConfig.safeParse({ ...MINIMAL, ...settings });
      expect(parsed.success).toBe(false);
      expect(JSON.stringify(parsed.error?.issues)).not.toContain(value);
    }
  });
});

describe("what the core decides with", () => {
  it("is name, type and route, and nothing where nothing was chosen", () => {
    expect(channelRef(channelConfig.parse(MINIMAL) as ToldConfig)).toEqual({
      name: "phone",
      type: "webhook",
    });
    const route = {
      minSeverity: "warning",
      kinds: ["down", "missing"],
      fallback: "sms",
      onlyAsFallback: true,
    };
    expect(
      channelRef(channelConfig.parse({ ...MINIMAL, ...route, title: "{{title}}" }) as ToldConfig),
    ).toEqual({
      name: "phone",
      type: "webhook",
      ...route,
    });
  });
});

describe("what must never be printed", () => {
  const config: WebhookConfig = {
    ...MINIMAL,
    url: "https://us%65r-x:p%40ssword@hooks.example:8443/services/T0001/B%2F0002?key=abcd+efg&flag",
    secret: "hmac-secret",
    headers: { Authorization: "Bearer header-token" },
  };

  it("holds every part of the URL but its origin, every header and the secret, also decoded", () => {
    const expected = [
      "us%65r-x",
      "user-x",
      "p%40ssword",
      "p@ssword",
      "user-x:p@ssword",
      "T0001",
      "B/0002",
      "B%2F0002",
      "/services/T0001/B%2F0002",
      "key=abcd+efg",
      "abcd efg",
      "flag",
      config.url,
      "Bearer header-token",
      "header-token",
      "hmac-secret",
    ];
    expect(channelSecrets(config)).toEqual(expect.arrayContaining(expected));
  });

  it("is not the origin alone, which errors name the service by", () => {
    for (const url of ["https://hooks.example:8443", "https://hooks.example:8443/"]) {
      expect(channelSecrets({ ...MINIMAL, url })).toEqual([]);
    }
  });

  it("is not in the description", () => {
    const shown = describeChannel(config);
    expect(shown).toBe("phone (webhook, hooks.example:8443)");
    for (const secret of channelSecrets(config)) expect(shown).not.toContain(secret);
  });
});

describe("a template", () => {
  const values = templateValues(SAMPLE_NOTIFICATION);

  it("cannot be broken out of by what a message says", () => {
    const hostile = { ...values, title: '", "admin": true, "x": "', text: "<script>&\"'" };
    expect(JSON.parse(fillTemplate('{"t": "{{title}}"}', "application/json", hostile))).toEqual({
      t: hostile.title,
    });
    expect(fillTemplate("<b>{{text}}</b>", "text/html", hostile)).toBe("<b>&lt;script&gt;&amp;&quot;'</b>");
  });

  it("takes a value literally, with placeholders and patterns in it", () => {
    const odd = { ...values, title: "$& {{id}} $1" };
    expect(fillTemplate("{{title}}", "text/plain", odd)).toBe("$& {{id}} $1");
  });
});

describe("a channel's own words", () => {
  it("replace title and text, and nothing else", () => {
    const told = reworded(SAMPLE_NOTIFICATION, {
      title: "[{{severity}}] {{subjects}} {{state}}",
      text: "{{kind}}: {{text}}",
    });
    expect(told).toEqual({
      ...SAMPLE_NOTIFICATION,
      title: "[critical] pve2 open",
      text: `down: ${SAMPLE_NOTIFICATION.text}`,
    });
    expect(reworded(SAMPLE_NOTIFICATION, {})).toBe(SAMPLE_NOTIFICATION);
  });

  it("keep the title on one line", () => {
    expect(reworded(SAMPLE_NOTIFICATION, { title: "{{text}}" }).title).toBe(
      SAMPLE_NOTIFICATION.text.replace(/\s+/g, " "),
    );
  });

  it("leave what was there where they come out empty", () => {
    expect(reworded(SAMPLE_NOTIFICATION, { title: "{{until}}", text: " {{until}} " })).toEqual(
      SAMPLE_NOTIFICATION,
    );
    const until = "2026-03-01T02:18:00.000Z";
    const over = { ...SAMPLE_NOTIFICATION, until };
    expect(reworded(over, { title: "{{until}}" }).title).toBe(until);
  });
});
