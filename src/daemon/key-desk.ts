/** What the command line asks about certificates and members, and what peers ask about certificates. */
import * as z from "zod";
import type { CertificateFacts } from "../adapters/pki/certificates.ts";
import type { SingleInput } from "../core/io.ts";
import type { NodeState } from "../core/node.ts";
import { compareRanks } from "../core/roster.ts";
import type { NodeId, RosterRank } from "../core/types.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { isoTime } from "../kit/time.ts";
import type { CertsRenewReport, SpreadReport } from "../wire/key-reports.ts";
import type { RpcHandlers } from "../wire/rpc.ts";
import { type CertSources, certificateReports } from "./cert-views.ts";
import { meshNow } from "./clock.ts";
import type { Identity } from "./identity.ts";
import type { Keymaster } from "./keymaster.ts";
import { findNode } from "./membership.ts";
import { NOT_KEYMASTER, type Questions } from "./questions.ts";
import type { Renewal } from "./renewal.ts";
import { KEYMASTER_AWAY, orThrow } from "./shared-config.ts";

/** A removal answers when every living node has the roster, or after this long. */
const SPREAD_MS_MAX = 3000;
const SPREAD_LOOK_MS = 25;

export interface KeyDeskOptions {
  readonly identity: Identity;
  readonly renewal: Renewal;
  readonly questions: Questions;
  readonly shown: () => CertSources["shown"];
  readonly state: () => NodeState;
  readonly push: (input: SingleInput) => void;
  readonly log: (line: string) => void;
  /** The node that signs, or a FailureError that names it. */
  readonly requireKeymaster: () => Keymaster;
}

type KeyHandlers = Pick<RpcHandlers, "certs" | "certs-renew" | "node-remove" | "node-readdress">;

export function createKeyDesk(options: KeyDeskOptions): KeyHandlers {
  const { identity, renewal, questions } = options;
  const roster = () => identity.keeper.current().roster;

  const renewOf = async (named: string | undefined): Promise<Result<CertsRenewReport>> => {
    const node = findNode(roster(), named ?? identity.id);
    if (!node.ok) return node;
    const { id, name } = node.value;
    if (id === identity.id) {
      const renewed = await renewal.renew();
      return renewed.ok ? ok(renewReport(name, renewed.value)) : renewed;
    }
    return questions.ask(id, {
      method: "renew-now",
      body: {},
      answer: renewBody,
      unanswered: {
        code: "node-unreachable",
        message: `${name} did not answer within 10 s`,
        remedy: `Look at \`balefire status\`, and run it on ${name} itself.`,
        retry: true,
      },
    });
  };

  return {
    certs: async () => ({
      schema: 1,
      certificates: certificateReports({
        self: identity.id,
        own: identity.certificate,
        renewal,
        roster: roster(),
        shown: options.shown(),
        wall: meshNow(options.state()),
      }),
    }),
    "certs-renew": async ({ node }) => orThrow(await renewOf(node)),
    "node-remove": async ({ node: named, why, suspected }) => {
      const { node, rank } = orThrow(await options.requireKeymaster().removeNode(named, why, suspected));
      options.log(`${node.name} was ${suspected ? "revoked" : "removed"}${why === "" ? "" : `: ${why}`}`);
      if (suspected) options.push({ type: "revoked", node: node.id, name: node.name, why });
      return { schema: 1, node: node.name, id: node.id, suspected, ...(await spread(options, rank)) };
    },
    "node-readdress": async ({ node: named, addresses: given }) => {
      const { node, rank } = orThrow(await options.requireKeymaster().readdressNode(named, given));
      const { id, name, addresses } = node;
      options.log(`${name} is at ${addresses.join(", ")} from now on`);
      return { schema: 1, node: name, id, addresses, ...(await spread(options, rank)) };
    },
  };
}

export interface SpreadOptions {
  readonly state: () => Pick<NodeState, "peers">;
}

/** Waits until the living say that they hold this roster or a later one. */
export async function spread({ state }: SpreadOptions, rank: RosterRank): Promise<SpreadReport> {
  const look = (): SpreadReport => {
    const reached: string[] = [];
    const waiting: string[] = [];
    for (const { rosterRank, member } of state().peers.values()) {
      const holds = rosterRank !== undefined && compareRanks(rosterRank, rank) >= 0;
      (holds ? reached : waiting).push(member.name);
    }
    return { ...rank, reached, waiting };
  };
  const isDone = (): boolean =>
    [...state().peers.values()].every(
      ({ session, rosterRank }) =>
        session === undefined || (rosterRank !== undefined && compareRanks(rosterRank, rank) >= 0),
    );
  for (let waited = 0; waited < SPREAD_MS_MAX && !isDone(); waited += SPREAD_LOOK_MS)
    await new Promise((resolve) => setTimeout(resolve, SPREAD_LOOK_MS));
  return look();
}

const renewReport = (node: string, { serial, notAfter }: CertificateFacts): CertsRenewReport => ({
  schema: 1,
  node,
  serial,
  notAfter: isoTime(notAfter),
});

const serialText = z.string().regex(/^[0-9a-f]{1,40}$/);
const renewBody: z.ZodType<CertsRenewReport> = z.object({
  schema: z.literal(1),
  node: z.string().max(64),
  serial: serialText,
  notAfter: z.iso.datetime(),
});
/** A request for a P-256 key has some 400 characters; `csrKey` refuses what is longer than this. */
const CSR_CHARS_MAX = 16_384;
const CERTIFICATE_CHARS_MAX = 16_384;
const signBody = z.object({ csr: z.string().max(CSR_CHARS_MAX) });
const signedBody = z.object({ certificate: z.string().max(CERTIFICATE_CHARS_MAX) });

/** Has a request signed by the keymaster, which may be this node. */
export const signer =
  (identity: Identity, questions: Questions) =>
  async (csr: string): Promise<Result<string>> => {
    const keymaster = identity.seat.current();
    if (keymaster !== undefined) return keymaster.renew(identity.id, csr);
    const signed = await questions.ask(identity.keeper.view().keymaster, {
      method: "renew",
      body: { csr },
      answer: signedBody,
      unanswered: {
        ...KEYMASTER_AWAY,
        remedy: "Look at `balefire status`: the keymaster must be alive to sign.",
      },
    });
    return signed.ok ? ok(signed.value.certificate) : signed;
  };

/** What peers may ask of this node: a new certificate of the keymaster, and of anyone to have itself renewed. */
export function serveRenewals(
  identity: Identity,
  questions: Questions,
  renewal: Renewal,
  log: (line: string) => void,
): void {
  const { seat, keeper } = identity;
  const nameOf = (id: NodeId): string => keeper.view().members.find((member) => member.id === id)?.name ?? id;
  questions.serve("renew-now", async (from) => {
    const renewed = await renewal.renewForPeer(from === keeper.view().keymaster);
    return renewed.ok ? ok(renewReport(nameOf(identity.id), renewed.value)) : renewed;
  });
  questions.serve("renew", async (from, body) => {
    const keymaster = seat.current();
    if (keymaster === undefined) return NOT_KEYMASTER;
    const request = signBody.safeParse(body);
    if (!request.success) return failure("protocol-violation", "the request cannot be read");
    const signed = await keymaster.renew(from, request.data.csr);
    if (signed.ok || signed.error.code !== "limit-reached")
      log(`certificate of ${nameOf(from)}: ${signed.ok ? "renewed" : signed.error.message}`);
    return signed.ok ? ok({ certificate: signed.value }) : signed;
  });
}
