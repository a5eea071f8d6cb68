/** A Power Automate workflow that posts the Adaptive Card it gets, and the schema of such cards. */
import * as z from "zod";
import { channelContract } from "../channel-contract.ts";
import { type Answer, type Received, startReceiver, status, underTest } from "../channel-receiver.ts";
import { answerOf, json, type Manners, problemWith } from "./strict-service.ts";

const WORKFLOW = "4f0c2d1e9b8a47d6a5c3f2e1d0b9a8c7";
const SIGNATURE = "s1gnature-of_theW0rkflow-abcdefg";
const PATH = `/powerautomate/automations/direct/workflows/${WORKFLOW}/triggers/manual/paths/invoke`;
const QUERY = `?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=${SIGNATURE}`;
const BODY_BYTES_MAX = 28 * 1024;

const run = z.strictObject({
  type: z.literal("TextRun"),
  text: z.string().min(1),
  weight: z.enum(["Lighter", "Default", "Bolder"]).optional(),
});
const block = z.strictObject({
  type: z.literal("RichTextBlock"),
  inlines: z.array(run).min(1),
  spacing: z.enum(["None", "Small", "Default", "Medium", "Large", "ExtraLarge", "Padding"]).optional(),
});
const container = z.strictObject({
  type: z.literal("Container"),
  style: z.enum(["default", "emphasis", "good", "attention", "warning", "accent"]),
  bleed: z.boolean(),
  items: z.array(block),
});
const card = z.strictObject({
  $schema: z.literal("http://adaptivecards.io/schemas/adaptive-card.json"),
  type: z.literal("AdaptiveCard"),
  // The first with RichTextBlock, Container.bleed and the four coloured styles.
  version: z.literal("1.2"),
  msteams: z.strictObject({ width: z.literal("full") }),
  body: z.array(z.discriminatedUnion("type", [block, container])),
});
const message = z.strictObject({
  type: z.literal("message"),
  attachments: z
    .array(
      z.strictObject({
        contentType: z.literal("application/vnd.microsoft.card.adaptive"),
        contentUrl: z.null(),
        content: card,
      }),
    )
    .length(1),
});

const error = (code: number, name: string, text: string): Answer =>
  json(code, { error: { code: name, message: text } });

const teams: Manners = {
  refusal: (received) => {
    const url = new URL(received.path, "http://teams.test");
    if (url.pathname !== PATH) return error(404, "WorkflowNotFound", "The workflow could not be found.");
    if (url.searchParams.get("sig") !== SIGNATURE)
      return error(401, "DirectApiAuthorizationRequired", "The request requires a valid signature.");
    if (Buffer.byteLength(received.body) > BODY_BYTES_MAX)
      return error(413, "RequestEntityTooLarge", "Request Entity too large");
    const problem = problemWith(received, message);
    return problem === undefined ? undefined : error(400, "TriggerInputSchemaMismatch", problem);
  },
  accepts: (saying) => status(202, saying),
  busy: (wait) => json(429, { error: { code: "TooManyRequests" } }, { "retry-after": String(wait) }),
  refuses: (saying) => error(400, "WorkflowTriggerIsNotEnabled", saying),
  acceptance: "",
};

/** The texts of all runs, a line each. */
const wordsIn = (body: string): string =>
  [...body.matchAll(/"text":("(?:[^"\\]|\\.)*")/g)].map(([, text]) => JSON.parse(text ?? '""')).join("\n");

channelContract(
  "teams",
  async () => {
    const receiver = await startReceiver();
    const url = `http://127.0.0.1:${receiver.port}${PATH}${QUERY}`;
    const arrivedAs = ({ body }: Received) => ({ words: wordsIn(body) });
    return underTest(receiver, { type: "teams", url }, [SIGNATURE, WORKFLOW], arrivedAs, answerOf(teams));
  },
  { keyless: true },
);
