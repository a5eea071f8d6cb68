import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createHistory } from "../../src/adapters/history/history.ts";
import type { History } from "../../src/ports/history.ts";
import { type HistoryUnderTest, historyContract } from "./history-contract.ts";
import { countUntilKilled } from "./kill-counting.ts";
import { fillDisk, smallDisk } from "./small-disk.ts";

const VICTIM = fileURLToPath(new URL("./history-victim.ts", import.meta.url));

async function sqliteUnderTest(): Promise<HistoryUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), "balefire-history-"));
  const disk = smallDisk(folder);
  if (!disk.mounted) throw new Error("this test mounts a small disk: run it as root");
  const path = join(folder, "history.sqlite");
  let troubles: string[] = [];
  const opened: History[] = [];
  return {
    open: () => {
      const history = createHistory({ path, trouble: ({ message }) => troubles.push(message) });
      opened.push(history);
      return history;
    },
    troubles: () => {
      const told = troubles;
      troubles = [];
      return told;
    },
    fill: async () => fillDisk(folder),
    killWhileRecording: async (from) => ({ acknowledged: await countUntilKilled(VICTIM, path, from) }),
    close: async () => {
      for (const history of opened) await history.close();
      disk.unmount();
      rmSync(folder, { recursive: true });
    },
  };
}

historyContract("the SQLite history", sqliteUnderTest);
