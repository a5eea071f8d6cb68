/** `balefire run`: the daemon, in the foreground. */
import type { Context } from "./context.ts";

export const run = ({
  operations,
  stateDir,
  configPath,
  configRequired,
  socketPath,
}: Context): Promise<number> => operations.run({ stateDir, configPath, configRequired, socketPath });
