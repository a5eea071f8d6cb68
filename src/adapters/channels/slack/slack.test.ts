import { describe, expect, it } from "vitest";
import { status } from "../../../../test/contract/channel-receiver.ts";
import {
  deliverOnce,
  HOSTILE,
  refusalOf,
  URGENCIES,
} from "../../../../test/contract/channels/one-delivery.ts";
import { json } from "../../../../test/contract/channels/strict-service.ts";

const slack = (address: string) => ({ type: "slack", url: `${address}/services/T0/B0/s1acKt0ken` });
const mattermost = (address: string) => ({
  type: "mattermost",
  url: `${address}/hooks/mmk3yxjpq3nibjhwmx4tqwhc5r`,
});

describe("slack", () => {
  it("says who and what in the text, which notifications show, and the rest beside a coloured bar", async () => {
    const { body } = await deliverOnce(slack, { title: "pve2 is down", text: "one\ntwo" });
    expect(body).toEqual({
      text: "pve2 is down",
      mrkdwn: false,
      attachments: [{ fallback: "pve2 is down", color: "#d92d20", text: "one\ntwo", mrkdwn_in: [] }],
    });
  });

  it.each(
    Object.entries({
      alarm: "#d92d20",
      warning: "#f79009",
      recovery: "#12a150",
      "a grave note": "#f79009",
      note: "#667085",
      test: "#2e90fa",
    }),
  )("colours %s %s", async (urgency, color) => {
    expect((await deliverOnce(slack, URGENCIES[urgency])).body.attachments[0].color).toBe(color);
  });

  it("makes nothing in the words a link or a mention", async () => {
    const { body } = await deliverOnce(slack, { title: HOSTILE, text: HOSTILE });
    for (const text of [body.text, body.attachments[0].fallback, body.attachments[0].text]) {
      expect(text).not.toMatch(/[<>]|@\w|&(?!amp;|lt;|gt;)/);
      expect(text).toContain("&lt;!channel&gt;");
    }
  });

  it("counts what it escaped against the limit", async () => {
    const { body } = await deliverOnce(slack, { text: "<🔥".repeat(3000) });
    expect(body.attachments[0].text.length).toBeLessThanOrEqual(4000);
    expect(body.attachments[0].text).toMatch(/^(&lt;🔥)+(&lt;)?…$/u);
  });

  it.each([
    [400, "invalid_payload"],
    [403, "invalid_token"],
    [403, "action_prohibited"],
    [404, "no_service"],
    [404, "channel_not_found"],
    [410, "channel_is_archived"],
  ])("gives up on %i %s", async (code, word) => {
    const { result } = await deliverOnce(slack, {}, status(code, word));
    expect(result.outcome).toBe("permanent");
    expect(result.detail).toMatch(new RegExp(`HTTP ${code}: ${word}$`));
  });

  it("tries again after what was Slack's own fault", async () => {
    expect((await deliverOnce(slack, {}, status(500, "rollup_error"))).result.outcome).toBe("temporary");
  });

  it("takes a login page that answers with 200 for no delivery", async () => {
    const { result } = await deliverOnce(slack, {}, status(200, "<html>Please log in"));
    expect(result).toMatchObject({ outcome: "temporary" });
    expect(result.detail).toMatch(/HTTP 200: <html>Please log in$/);
  });

  it("refuses the address of a workflow, which takes another body", () => {
    expect(refusalOf({ type: "slack", url: "https://hooks.slack.com/triggers/T0/1/x" })).toEqual({
      path: "url",
      message: expect.stringContaining("/services/"),
    });
  });
});

describe("mattermost", () => {
  it("takes the same body without what only Slack knows", async () => {
    const { body } = await deliverOnce(mattermost, { title: "pve2 is down", text: "one\ntwo" });
    expect(body).toEqual({
      text: "pve2 is down",
      attachments: [{ fallback: "pve2 is down", color: "#d92d20", text: "one\ntwo" }],
    });
  });

  it("makes nothing in the words a link, a mention or markup", async () => {
    const { body } = await deliverOnce(mattermost, { title: HOSTILE, text: `# ${HOSTILE}` });
    for (const text of [body.text, body.attachments[0].text]) {
      expect(text).not.toMatch(/[<>]|@\w/);
      expect(text.replace(/\\[^0-9A-Za-z\s]/g, "")).not.toMatch(/[[\]*_~`|\\#]/);
    }
  });

  it("gives up with the server's own words", async () => {
    const error = {
      id: "web.incoming_webhook.invalid.app_error",
      message: "Invalid webhook.",
      detailed_error: "",
      status_code: 400,
    };
    const { result } = await deliverOnce(mattermost, {}, json(400, error));
    expect(result.outcome).toBe("permanent");
    expect(result.detail).toMatch(/HTTP 400: Invalid webhook\.$/);
  });

  it("refuses an address that is no webhook's", () => {
    expect(refusalOf({ type: "mattermost", url: "https://chat.example/team/channels/town" })).toEqual({
      path: "url",
      message: expect.stringContaining("/hooks/KEY"),
    });
  });
});
