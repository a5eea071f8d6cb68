/** What the keymaster asks of a node that is to take over, or that may one day. */
import * as z from "zod";
import { createCsr } from "../adapters/pki/csr.ts";
import type { NodeId } from "../core/types.ts";
import { type Failure, failure, ok, type Result } from "../kit/result.ts";
import { type SignedRoster, signedRoster } from "../wire/roster.ts";
import type { Identity } from "./identity.ts";
import type { Questions } from "./questions.ts";
import { takeOver } from "./takeover.ts";

/** A request for a P-256 key has some 400 characters. */
const CSR_CHARS_MAX = 16_384;
/** A standby that misses the last rosters has this long to get them: changes of the mesh must not be lost. */
const CATCH_UP_MS_MAX = 5000;
const requestBody = z.object({ csr: z.string().max(CSR_CHARS_MAX) });
const takeOverBody = z.object({ hash: z.string().length(64) });

const unanswered = (name: string): Failure => ({
  code: "node-unreachable",
  message: `${name} did not answer within 10 s`,
  remedy: "Look at `balefire status`: it must be alive, and of this release.",
  retry: true,
});

/** The proof of a signing key that a node makes, or has made, and keeps: a request signed by it, in PEM. */
export async function askForSigningKey(
  questions: Questions,
  node: { readonly id: NodeId; readonly name: string },
): Promise<Result<string>> {
  const answer = await questions.ask(node.id, {
    method: "signer-request",
    body: {},
    answer: requestBody,
    unanswered: unanswered(node.name),
  });
  return answer.ok ? ok(answer.value.csr) : answer;
}

/** Has a standby open the next term, on the roster of this hash. The answer is that term's first roster. */
export function askToTakeOver(
  questions: Questions,
  node: { readonly id: NodeId; readonly name: string },
  hash: string,
): Promise<Result<SignedRoster>> {
  return questions.ask(node.id, {
    method: "take-over",
    body: { hash },
    answer: signedRoster,
    unanswered: unanswered(node.name),
  });
}

/** This node's side of both. */
export function serveStandby(identity: Identity, questions: Questions, log: (line: string) => void): void {
  const { seat, keeper } = identity;
  const mayAsk = (from: NodeId): Result<void> =>
    keeper.current().roster.keymaster === from
      ? ok(undefined)
      : failure("permission-denied", "only the keymaster may ask for this");
  questions.serve("signer-request", async (from) => {
    const may = mayAsk(from);
    if (!may.ok) return may;
    const made = await seat.pendingKey();
    if (!made.ok) return made;
    log("the keymaster makes this node a standby: it has a signing key from now on");
    return ok({ csr: createCsr(made.value.key) });
  });
  questions.serve("take-over", async (from, body) => {
    const may = mayAsk(from);
    if (!may.ok) return may;
    const request = takeOverBody.safeParse(body);
    if (!request.success) return failure("protocol-violation", "the request cannot be read");
    if (!(await hasCome(identity, request.data.hash))) {
      return failure("roster-refused", "this node does not have the newest roster yet", undefined, true);
    }
    const opened = await takeOver(identity);
    log(opened.ok ? "this node is the keymaster from now on" : `not taken over: ${opened.error.message}`);
    return opened.ok ? ok(opened.value.signed) : opened;
  });
}

/** Waits until the roster of this hash is the one in force here. */
function hasCome({ keeper }: Identity, hash: string): Promise<boolean> {
  if (keeper.current().hash === hash) return Promise.resolve(true);
  return new Promise((resolve) => {
    const end = (came: boolean): void => {
      clearTimeout(timer);
      stop();
      resolve(came);
    };
    const timer = setTimeout(() => end(false), CATCH_UP_MS_MAX);
    const stop = keeper.onChange((current) => {
      if (current.hash === hash) end(true);
    });
  });
}

/** What a node that had gone by a roster which lost hands in. */
export function askToSetAside(
  questions: Pick<Questions, "ask">,
  keymaster: NodeId,
  lost: SignedRoster,
): Promise<Result<{ readonly taken: boolean }>> {
  return questions.ask(keymaster, {
    method: "set-aside",
    body: lost,
    answer: z.object({ taken: z.boolean() }),
    unanswered: unanswered("the keymaster"),
  });
}
