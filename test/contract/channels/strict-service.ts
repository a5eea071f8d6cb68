/** What the receivers of services share that speak JSON and are strict about it. */
import type { ServerResponse } from "node:http";
import type * as z from "zod";
import type { ServiceMood } from "../channel-contract.ts";
import { type Answer, httpAnswer, type Received, status } from "../channel-receiver.ts";

export const json = (code: number, reply: unknown, headers: Record<string, string> = {}): Answer =>
  status(code, JSON.stringify(reply), { "content-type": "application/json", ...headers });

/** Accepts as the service does, and then goes on for ever. */
export const endlessAfter =
  (beginning: string): Answer =>
  (response: ServerResponse) => {
    response.writeHead(200, { "content-type": "application/json" });
    const pour = (): void => {
      while (!response.destroyed && response.write("x".repeat(8192)));
    };
    response.on("drain", pour).on("error", () => undefined);
    response.write(beginning);
    pour();
  };

/** What is wrong with a request's body; undefined if nothing is, unknown fields included. */
export function problemWith(received: Received, shape: z.ZodType): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(received.body);
  } catch {
    return "not JSON";
  }
  const { error } = shape.safeParse(value);
  return error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
}

/** How one service answers; what it does not translate, HTTP says. */
export interface Manners {
  /** What it refuses, whatever its mood: the answer it is documented to give. */
  refusal(received: Received): Answer | undefined;
  accepts(saying: string, received: Received): Answer;
  busy(retryAfterSeconds: number): Answer;
  refuses(saying: string): Answer;
  /** How the reply to an accepted message begins. */
  readonly acceptance: string;
}

export const answerOf =
  (manners: Manners) =>
  (mood: ServiceMood): Answer =>
  (response, received) => {
    const answer = manners.refusal(received) ?? inMood(manners, mood, received);
    answer(response, received);
  };

function inMood(manners: Manners, mood: ServiceMood, received: Received): Answer {
  switch (mood.type) {
    case "accepts":
      return manners.accepts(mood.saying, received);
    case "busy":
      return manners.busy(mood.retryAfterSeconds);
    case "refuses":
      return manners.refuses(mood.saying);
    case "babbles":
      return endlessAfter(manners.acceptance);
    default:
      return httpAnswer(mood);
  }
}
