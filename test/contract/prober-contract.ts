/** What every prober promises (src/ports/prober.ts). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Address, ProbeOutcome } from "../../src/core/types.ts";
import { ms } from "../../src/kit/time.ts";
import type { Prober } from "../../src/ports/prober.ts";

export interface ProberUnderTest {
  readonly prober: Prober;
  /** A host of which the given is true. */
  host(state: "listening" | "hung" | "kernel-only" | "silent"): Promise<Address>;
  close(): Promise<void>;
}

const PATIENCE = ms(400);
const SLACK_MS = 500;

export function proberContract(name: string, make: () => Promise<ProberUnderTest>): void {
  describe(`${name} keeps the contract of a prober`, () => {
    let under: ProberUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    afterEach(() => under.close());

    it.each([
      ["listening", "accepted"],
      ["hung", "accepted"],
      ["kernel-only", "refused"],
      ["silent", "silent"],
    ] as const)("finds a host that is %s %s", async (state, outcome: ProbeOutcome) => {
      expect(await under.prober.probe(await under.host(state), PATIENCE)).toBe(outcome);
    });

    it("takes proof of life at once, and waits for it no longer than its patience", async () => {
      const kernelOnly = await under.host("kernel-only");
      const begun = performance.now();
      await under.prober.probe(kernelOnly, ms(20_000));
      expect(performance.now() - begun).toBeLessThan(SLACK_MS);
      const silent = await under.host("silent");
      const waited = performance.now();
      await under.prober.probe(silent, PATIENCE);
      expect(performance.now() - waited).toBeLessThan(PATIENCE + SLACK_MS);
    });

    it("never rejects, whatever the address", async () => {
      for (const address of [
        "",
        "nonsense",
        "1.2.3.4",
        "300.1.1.1:1",
        "127.0.0.1:0",
        "127.0.0.1:70000",
        "[::1",
      ]) {
        expect(await under.prober.probe(address, PATIENCE)).toBe("silent");
      }
    });
  });
}
