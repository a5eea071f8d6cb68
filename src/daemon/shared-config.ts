/** `config apply`: any node takes the text, the keymaster numbers and signs it. */
import * as z from "zod";
import type { NodeId } from "../core/types.ts";
import { type Failure, FailureError, failure, ok, type Result } from "../kit/result.ts";
import { parseConfig } from "../wire/config.ts";
import { formatProblems } from "../wire/config-problems.ts";
import { SHARED_CONFIG_CHARS_MAX } from "../wire/roster.ts";
import type { ConfigApplyReport } from "../wire/rpc.ts";
import type { Keymaster } from "./keymaster.ts";
import { NOT_KEYMASTER, type Questions } from "./questions.ts";

export interface SharedConfigOptions {
  /** While this node is the keymaster. */
  readonly keymaster: () => Keymaster | undefined;
  readonly keymasterId: () => NodeId;
  readonly questions: Questions;
  /** Who changed what all share belongs in the journal. */
  readonly log: (line: string) => void;
  /** A peer whose certificate is outside its validity may watch, not configure. */
  readonly mayConfigure: (peer: NodeId) => boolean;
}

export interface SharedConfig {
  apply(text: string): Promise<Result<ConfigApplyReport>>;
}

export function createSharedConfig(options: SharedConfigOptions): SharedConfig {
  const { questions } = options;

  const applyHere = async (signing: Keymaster, text: string): Promise<Result<ConfigApplyReport>> => {
    const parsed = parseConfig(text, "the shared configuration", "shared");
    if (!parsed.ok) return failure("config-invalid", formatProblems(parsed.problems));
    const applied = await signing.applyConfig(text);
    if (!applied.ok) return applied;
    const { term, epoch, changed } = applied.value;
    return ok({ schema: 1, term, epoch, changed });
  };

  const applyFor = async (
    signing: Keymaster,
    from: NodeId,
    body: unknown,
  ): Promise<Result<ConfigApplyReport>> => {
    if (!options.mayConfigure(from)) {
      const remedy = "Renew that node's certificate first: `balefire certs renew` there.";
      return failure("permission-denied", "its certificate is outside its validity", remedy);
    }
    const request = requestBody.safeParse(body);
    if (!request.success) return failure("protocol-violation", "the request cannot be read");
    const applied = await applyHere(signing, request.data.text);
    const outcome = applied.ok ? (applied.value.changed ? "applied" : "no change") : applied.error.message;
    options.log(`shared configuration from node ${from}: ${outcome}`);
    return applied;
  };

  questions.serve("config-apply", async (from, body) => {
    const signing = options.keymaster();
    return signing === undefined ? NOT_KEYMASTER : applyFor(signing, from, body);
  });
  return {
    apply: async (text) => {
      const signing = options.keymaster();
      if (signing !== undefined) return applyHere(signing, text);
      return questions.ask(options.keymasterId(), {
        method: "config-apply",
        body: { text },
        answer: reportBody,
        unanswered: KEYMASTER_AWAY,
      });
    },
  };
}

export const KEYMASTER_AWAY: Failure = {
  code: "keymaster-unreachable",
  message: "the keymaster did not answer within 10 s",
  remedy: "Look at `balefire status`: the keymaster must be alive to change what all share.",
  retry: true,
};

const requestBody = z.object({ text: z.string().max(SHARED_CONFIG_CHARS_MAX) });
const reportBody: z.ZodType<ConfigApplyReport> = z
  .object({ term: z.number(), epoch: z.number(), changed: z.boolean() })
  .transform((report) => ({ schema: 1 as const, ...report }));

/** For handlers that throw their failures. */
export function orThrow<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new FailureError(result.error);
}
