/** Alertmanager: a fake that is as strict as its API v2 for what cannot be had from the real one, and the real one. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { createAlertmanager } from "../../../src/adapters/channels/alertmanager/alertmanager.ts";
import type { Notification } from "../../../src/core/notification.ts";
import { type Duration, isoTime, ms, wallTime } from "../../../src/kit/time.ts";
import type { Channel } from "../../../src/ports/channel.ts";
import { channelContract } from "../channel-contract.ts";
import {
  type Answer,
  type Received,
  type Receiver,
  startReceiver,
  status,
  underTest,
} from "../channel-receiver.ts";
import { SAMPLE_NOTIFICATION } from "../sample-notification.ts";
import { type ActiveAlert, type Alertmanager, startAlertmanager } from "./alertmanager-process.ts";
import { answerOf, json, type Manners, problemWith } from "./strict-service.ts";

const SECRETS = { user: "am-user", password: "p@ss/word with=odd&signs", token: "b3arer.T0KEN/with+signs=" };

const names = z.record(z.string().regex(/^[a-zA-Z_]\w*$/), z.string().min(1));
const alerts = z.array(
  z
    .strictObject({
      labels: names.refine((labels) => labels.alertname !== undefined, "alertname is missing"),
      annotations: names,
      startsAt: z.iso.datetime(),
      endsAt: z.iso.datetime(),
    })
    .refine(({ startsAt, endsAt }) => startsAt <= endsAt, "start time must be before end time"),
);

const invalid = (problem: string): Answer => json(400, { code: 601, message: problem });

const fake: Manners = {
  refusal: (received) => {
    const { method, path, headers } = received;
    if (method !== "POST" || path !== "/api/v2/alerts") return status(404, "404 page not found");
    const basic = `Basic ${Buffer.from(`${SECRETS.user}:${SECRETS.password}`).toString("base64")}`;
    if (headers.authorization !== basic && headers.authorization !== `Bearer ${SECRETS.token}`)
      return status(401, "Unauthorized");
    if (headers["content-type"] !== "application/json") return status(415, "unsupported media type");
    const problem = problemWith(received, alerts);
    return problem === undefined ? undefined : invalid(problem);
  },
  accepts: (saying) => status(200, saying),
  busy: (wait) => status(503, "busy", { "retry-after": String(wait) }),
  refuses: invalid,
  acceptance: "",
};

const arrivedAs = ({ body }: Received) => {
  const posted = JSON.parse(body) as z.infer<typeof alerts>;
  const words = posted.map(({ annotations }) => `${annotations.summary}\n${annotations.description}`);
  return { key: posted.map(({ labels }) => labels.incident).join(), words: words.join("\n") };
};

channelContract(
  "alertmanager behind a password",
  async () => {
    const receiver = await startReceiver();
    const credentials = [SECRETS.user, SECRETS.password].map(encodeURIComponent).join(":");
    const urls = [`http://${credentials}@127.0.0.1:${receiver.port}`];
    const secrets = [SECRETS.user, SECRETS.password];
    return underTest(receiver, { type: "alertmanager", urls }, secrets, arrivedAs, answerOf(fake));
  },
  { keyedByIncident: true },
);

channelContract(
  "alertmanager with a token",
  async () => {
    const receiver = await startReceiver();
    const settings = {
      type: "alertmanager",
      urls: [`http://127.0.0.1:${receiver.port}/`],
      token: SECRETS.token,
    };
    return underTest(receiver, settings, [SECRETS.token], arrivedAs, answerOf(fake));
  },
  { keyedByIncident: true },
);

/** Room for a request and the answer; then an alert that is not sent again ends. */
const OPEN_FOR: Duration = ms(1500);
const IN_TIME = { timeout: 8000, interval: 20 };

describe("a real Alertmanager", () => {
  let manager: Alertmanager;
  let webhook: Receiver;
  beforeEach(async () => {
    webhook = await startReceiver();
    manager = await startAlertmanager(`http://127.0.0.1:${webhook.port}/`);
  });
  afterEach(async () => {
    await manager.close();
    await webhook.close();
  });

  const channel = (wall = () => Date.now(), ...more: string[]): Channel =>
    createAlertmanager(
      { name: "am", type: "alertmanager", urls: [...more, manager.url] },
      { wall: () => wallTime(wall()), openFor: OPEN_FOR },
    );
  const open: Notification = SAMPLE_NOTIFICATION;
  const over = (): Notification => ({
    ...open,
    id: "f".repeat(32),
    state: "resolved",
    until: isoTime(wallTime(Date.now())),
  });
  const told = (): { status: string; incident: string | undefined }[] =>
    webhook.received
      .flatMap(({ body }) => (JSON.parse(body) as { alerts: (ActiveAlert & { status: string })[] }).alerts)
      .map(({ status: state, labels }) => ({ status: state, incident: labels.incident }));
  const tellsOf = (state: "firing" | "resolved"): Promise<void> =>
    vi.waitFor(() => expect(told()).toContainEqual({ status: state, incident: INCIDENT }), IN_TIME);
  const INCIDENT = SAMPLE_NOTIFICATION.subjects[0]?.incident ?? "";

  it("keeps an open alert while it is sent again, ends it with the recovery, and passes both on", async () => {
    const first = Date.now();
    expect(await channel().deliver(open, 5000)).toMatchObject({ outcome: "delivered" });
    const [alert] = await manager.active();
    expect(alert).toMatchObject({
      labels: { alertname: "BalefireHostDown", severity: "critical", node: "pve2", incident: INCIDENT },
      annotations: { summary: open.title, description: open.text },
      startsAt: open.since,
      status: { state: "active" },
    });
    await tellsOf("firing");

    await until(first + (OPEN_FOR * 2) / 3);
    await channel().deliver(open, 5000);
    await until(first + OPEN_FOR + 200);
    expect(await manager.active()).toHaveLength(1);
    expect(told()).not.toContainEqual({ status: "resolved", incident: INCIDENT });

    expect(await channel().deliver(over(), 5000)).toMatchObject({ outcome: "delivered" });
    expect(await manager.active()).toEqual([]);
    await tellsOf("resolved");
  });

  it("lets an alert end that nobody sends again", async () => {
    await channel().deliver(open, 5000);
    expect(await manager.active()).toHaveLength(1);
    await vi.waitFor(async () => expect(await manager.active()).toEqual([]), IN_TIME);
    await tellsOf("resolved");
  });

  it.each([
    ["an hour behind", -3_600_000],
    ["an hour ahead", 3_600_000],
  ])("shows what is open, and ends what is over, for a host whose clock is %s", async (_, off) => {
    const clock = (): number => Date.now() + off;
    await channel(clock).deliver(open, 5000);
    expect(await manager.active()).toHaveLength(1);
    await channel(clock).deliver({ ...over(), until: isoTime(wallTime(clock())) }, 5000);
    await vi.waitFor(async () => expect(await manager.active()).toEqual([]), IN_TIME);
  });

  it("is told although another member of its cluster is gone, which is named", async () => {
    const gone = await startReceiver();
    await gone.close();
    const result = await channel(Date.now, `http://127.0.0.1:${gone.port}`).deliver(open, 5000);
    expect(result.outcome).toBe("delivered");
    expect(result.detail).toContain(`not by 1 of 2: http://127.0.0.1:${gone.port}: connection refused`);
    expect(await manager.active()).toHaveLength(1);
  });

  it("takes each kind of message, and keeps hosts apart", async () => {
    const subject = SAMPLE_NOTIFICATION.subjects[0];
    if (subject === undefined) throw new Error("the sample is about nobody");
    const two = [
      subject,
      { ...subject, name: "pve3", incident: "1".repeat(32), kind: "daemon-down" as const },
    ];
    await channel().deliver({ ...open, subjects: two }, 5000);
    const test: Notification = { ...open, kind: "test", state: "note", severity: "info", subjects: [] };
    await channel().deliver(test, 5000);
    const names = (await manager.active()).map(({ labels }) => [labels.alertname, labels.node].join(" "));
    expect(names.toSorted()).toEqual([
      "BalefireDaemonDown pve3",
      "BalefireHostDown pve2",
      "BalefireTest pve1",
    ]);
  });

  it("says why it refuses what it cannot take", async () => {
    const wrong = {
      ...open,
      since: "0",
      subjects: open.subjects.map((own) => ({ ...own, since: "0" })),
    };
    const result = await channel().deliver(wrong, 5000);
    expect(result.outcome).toBe("permanent");
    expect(result.detail).toMatch(/HTTP 400: .*cannot parse/);
  });
});

const until = (at: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now())));
