/** A process whose wall clock is off, by Debian's libfaketime; what measures time in it goes on as it does. */
import { globSync, writeFileSync } from "node:fs";

/** A changed clock is seen within so long. */
export const CLOCK_SEEN_MS = 1000;

const [library] = globSync("/usr/lib/*/faketime/libfaketime.so.1");
/** Where the package is missing, clocks cannot be moved. */
export const canMoveClocks: boolean = library !== undefined;

export class HostClock {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
    this.offBy(0);
  }

  /** Seconds from now on; also for what runs already. */
  offBy(seconds: number): void {
    writeFileSync(this.#file, `${seconds < 0 ? "" : "+"}${Math.round(seconds)}\n`, { mode: 0o600 });
  }

  /** The command line that runs `argv` by this clock. */
  inside(argv: readonly string[]): readonly string[] {
    const settings = {
      LD_PRELOAD: library ?? "",
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: String(CLOCK_SEEN_MS / 1000),
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      FAKETIME_NO_FAKE_STAT: "1",
    };
    return ["env", ...Object.entries(settings).map(([name, value]) => `${name}=${value}`), ...argv];
  }
}
