/** The recovery file of the host that has one: the same sealed key as in the roster, whenever that is sealed anew. */
import type { StateFile, StateFolder } from "../adapters/state/folder.ts";
import { sha256Hex } from "../kit/hash.ts";
import { ok, type Result } from "../kit/result.ts";
import type { RecoveryFile } from "../wire/recovery-file.ts";
import { encodeSigned, type ParsedRoster, parseSigned } from "../wire/roster.ts";
import type { RosterKeeper } from "./roster-keeper.ts";
import { SealLineage } from "./seal-lineage.ts";
import { Serial } from "./serial.ts";
import { isDamage } from "./spare-file.ts";
import { RECOVERY_STATE_FILE } from "./state-files.ts";

const ID_CHARS = 8;

export interface RecoveryCopy {
  /** Its path; null where this host has none. Once it is as the roster has it. */
  path(): Promise<string | null>;
}

/**
 * Follows the roster from now on. A file that cannot be written, or not be read, is told of, and looked at
 * again after the next one. What a keymaster that lost had sealed anew is kept beside it until the mesh has it
 * after all: a person may hold no other code. What the winner has renewed is not.
 */
export function keepRecoveryCopy(
  folder: StateFolder,
  keeper: Pick<RosterKeeper, "current" | "onChange" | "displaced">,
  log: (line: string) => void,
): RecoveryCopy {
  const serial = new Serial();
  const lineage = new SealLineage(folder);
  /** It has lost, and could not be kept yet. */
  let unkept: string | undefined;

  const follow = async (displaced: ParsedRoster | undefined): Promise<string | null> => {
    const current = keeper.current();
    const { recovery } = current.roster;
    if (!(await folder.exists(RECOVERY_STATE_FILE.name))) return null;
    const done = recovery === undefined ? ok(undefined) : await agree(current, recovery, displaced);
    if (!done.ok) log(`the recovery file is not the roster's: ${done.error.message}`);
    return `${folder.path}/${RECOVERY_STATE_FILE.name}`;
  };

  const agree = async (
    current: ParsedRoster,
    recovery: RecoveryFile,
    displaced: ParsedRoster | undefined,
  ): Promise<Result<void>> => {
    const loaded = await lineage.load();
    if (!loaded.ok) return loaded;
    const held = await folder.readJson(RECOVERY_STATE_FILE);
    // What cannot be read now may hold what nobody else has.
    if (!held.ok && !isDamage(held.error)) return held;
    if (!held.ok || held.value?.sealed !== recovery.sealed) {
      const isLost = held.ok && held.value !== undefined && hasLost(held.value, current, displaced);
      const safe = isLost ? await keep(held.value) : ok(undefined);
      if (!safe.ok) return safe;
      const written = await folder.writeJson(RECOVERY_STATE_FILE, recovery);
      if (!written.ok) return written;
    }
    unkept = undefined;
    const kept = lostFile(recovery).name;
    if (await folder.exists(kept)) await folder.remove(kept);
    return lineage.note(current, recovery.sealed);
  };

  /** A roster that this node went by had it, and the one in force does not build on that. */
  const hasLost = (
    { sealed }: RecoveryFile,
    current: ParsedRoster,
    displaced: ParsedRoster | undefined,
  ): boolean => {
    const isRenewed = lineage.isBehind(current, sealed);
    if (isRenewed !== undefined) return !isRenewed;
    const lost = keeper.displaced.list().flatMap((signed) => {
      const parsed = parseSigned(encodeSigned(signed));
      return parsed.ok ? [parsed.value] : [];
    });
    return sealed === unkept || [displaced, ...lost].some((each) => each?.roster.recovery?.sealed === sealed);
  };

  const keep = async (held: RecoveryFile): Promise<Result<void>> => {
    unkept = held.sealed;
    const file = lostFile(held);
    const written = await folder.writeJson(file, held);
    if (written.ok)
      log(
        `what its newest code opens is in ${folder.path}/${file.name}: the keymaster that made it has lost; see \`balefire keymaster show\``,
      );
    return written;
  };

  const run = (displaced?: ParsedRoster): Promise<string | null> => serial.run(() => follow(displaced));
  keeper.onChange((_, displaced) => void run(displaced));
  void run();
  return { path: () => run() };
}

/** Named by what it holds: kept once, however often, and found again. */
const lostFile = ({ sealed }: RecoveryFile): StateFile<RecoveryFile> => ({
  ...RECOVERY_STATE_FILE,
  name: `recovery.lost-${sha256Hex(sealed).slice(0, ID_CHARS)}.balefire`,
});
