/** The recovery file of the host that has one: the same sealed key as in the roster, whenever that is sealed anew. */
import type { StateFolder } from "../adapters/state/folder.ts";
import type { RosterKeeper } from "./roster-keeper.ts";
import { Serial } from "./serial.ts";
import { RECOVERY_STATE_FILE } from "./state-files.ts";

export interface RecoveryCopy {
  /** Its path; null where this host has none. Once it is as the roster has it. */
  path(): Promise<string | null>;
}

/** Follows the roster from now on. A file that cannot be written is told of, and written after the next one. */
export function keepRecoveryCopy(
  folder: StateFolder,
  keeper: Pick<RosterKeeper, "current" | "onChange">,
  log: (line: string) => void,
): RecoveryCopy {
  const serial = new Serial();
  const follow = async (): Promise<string | null> => {
    const { recovery } = keeper.current().roster;
    if (!(await folder.exists(RECOVERY_STATE_FILE.name))) return null;
    const path = `${folder.path}/${RECOVERY_STATE_FILE.name}`;
    const held = await folder.readJson(RECOVERY_STATE_FILE);
    if (recovery === undefined || (held.ok && held.value?.sealed === recovery.sealed)) return path;
    const written = await folder.writeJson(RECOVERY_STATE_FILE, recovery);
    if (!written.ok) log(`the recovery file is not the roster's: ${written.error.message}`);
    return path;
  };
  const run = (): Promise<string | null> => serial.run(follow);
  keeper.onChange(() => void run());
  void run();
  return { path: run };
}
