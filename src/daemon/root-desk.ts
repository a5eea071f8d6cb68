/** What the command line asks about the root key: its code, its change, and how far that is. */
import { sealRecovery } from "../adapters/pki/recovery.ts";
import { generateRecoveryCode } from "../adapters/pki/recovery-code.ts";
import type { RotationStep } from "../core/pki/rotation.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import type { WallTime } from "../kit/time.ts";
import type { CodeOffer } from "../wire/root-reports.ts";
import type { ParsedRoster, Roster } from "../wire/roster.ts";
import { rankOf } from "../wire/roster.ts";
import type { RpcHandlers } from "../wire/rpc.ts";
import { Ceremony } from "./ceremony.ts";
import type { Identity } from "./identity.ts";
import { type SpreadOptions, spread } from "./key-desk.ts";
import type { Keymaster } from "./keymaster.ts";
import { findNode } from "./membership.ts";
import type { RecoveryCopy } from "./recovery-copy.ts";
import { prepareAnnouncement, stillFits } from "./root-announce.ts";
import { openRootKey } from "./root-key.ts";
import { namesOf, rootStatusReport } from "./root-views.ts";
import type { Rotation } from "./rotation.ts";
import { orThrow } from "./shared-config.ts";

export interface RootDeskOptions extends SpreadOptions {
  readonly identity: Identity;
  readonly rotation: Pick<Rotation, "step" | "stepAsDriven" | "waive">;
  readonly recoveryCopy: RecoveryCopy;
  readonly wall: () => WallTime;
  readonly log: (line: string) => void;
  /** The node that signs, or a FailureError that names it. */
  readonly requireKeymaster: () => Keymaster;
}

type RootHandlers = Pick<
  RpcHandlers,
  "recovery-renew" | "root-rotate" | "offer-take" | "root-waive" | "root-status"
>;

/** What counts once its code has been shown. */
interface Prepared {
  readonly root: string;
  /** For the journal. */
  readonly words: string;
  readonly run: (keymaster: Keymaster) => Promise<Result<ParsedRoster>>;
}

export function createRootDesk(options: RootDeskOptions): RootHandlers {
  const { identity, rotation, log } = options;
  const ceremony = new Ceremony<Prepared>();
  const roster = (): Roster => identity.keeper.current().roster;

  const offer = (prepared: Prepared, recoveryCode: string): CodeOffer => ({
    schema: 1,
    ticket: ceremony.offer(prepared),
    recoveryCode,
    root: prepared.root,
  });

  return {
    "recovery-renew": async ({ code }) => {
      options.requireKeymaster();
      const recoveryCode = generateRecoveryCode();
      return offer(orThrow(await prepareRenewal(roster(), code, recoveryCode)), recoveryCode);
    },
    "root-rotate": async ({ code, waive }) => {
      options.requireKeymaster();
      const waived = orThrow(idsOf(roster(), waive));
      orThrow(mayBegin(rotation.step()));
      const old = orThrow(await openRootKey({ roster: roster(), code }));
      const { recoveryCode, announcement } = orThrow(
        await prepareAnnouncement(roster(), old, waived, options.wall()),
      );
      const run: Prepared["run"] = async (keymaster) => {
        const { signer } = keymaster;
        if (signer === undefined) return failure("not-keymaster", "this node has no signing key");
        const { key, changes } = announcement;
        return keymaster.openTerm(
          { by: "root", key, signer: signer.pin },
          (current) => (stillFits(announcement, current) ? ok(changes) : overtaken),
          signer,
        );
      };
      const words = `a new root was announced: ${announcement.root}`;
      return offer({ root: announcement.root, words, run }, recoveryCode);
    },
    "offer-take": async ({ ticket }) => {
      const keymaster = options.requireKeymaster();
      const { root, words, run } = orThrow(ceremony.take(ticket));
      const published = orThrow(await run(keymaster));
      log(words);
      const reached = await spread(options, rankOf(published));
      return { schema: 1, root, file: await options.recoveryCopy.path(), ...reached };
    },
    "root-waive": async ({ nodes }) => {
      options.requireKeymaster();
      const waived = orThrow(await rotation.waive(orThrow(idsOf(roster(), nodes))));
      log(`not waited for in the change of roots: ${nodes.join(", ")}`);
      return { schema: 1, waived: namesOf(roster(), waived) };
    },
    "root-status": async () => {
      const step = await rotation.stepAsDriven();
      return rootStatusReport(roster(), step);
    },
  };
}

/** The same root key, under another code. */
async function prepareRenewal(roster: Roster, code: string, recoveryCode: string): Promise<Result<Prepared>> {
  const opened = await openRootKey({ roster, code });
  if (!opened.ok) return opened;
  const { key, certificate, pin: root } = opened.value;
  const recovery = await sealRecovery({ mesh: roster.mesh, key, certificate }, recoveryCode);
  const sealed = roster.recovery?.sealed;
  return ok({
    root,
    words: "the root key was sealed under a new recovery code",
    run: (keymaster) =>
      keymaster.publish((current) => (current.recovery?.sealed === sealed ? ok({ recovery }) : overtaken)),
  });
}

const overtaken: Result<never> = failure(
  "recovery-invalid",
  "the roster has changed meanwhile: the new code opens nothing, and nothing was changed",
  "Run the command again.",
  true,
);

function mayBegin(step: RotationStep | undefined): Result<void> {
  if (step === undefined || step.step === "blocked") return ok(undefined);
  const remedy =
    "See how far it is: `balefire root status`. Add --waive NODE for who is not to be waited for.";
  return failure("usage", "a change of roots is under way already", remedy);
}

/** Of nodes named by a person. The keymaster drives it, and cannot be left out. */
function idsOf(roster: Roster, named: readonly string[]): Result<readonly string[]> {
  const ids: string[] = [];
  for (const name of named) {
    const node = findNode(roster, name);
    if (!node.ok) return node;
    if (node.value.id === roster.keymaster) return failure("usage", `${node.value.name} is the keymaster`);
    ids.push(node.value.id);
  }
  return ok(ids);
}
