/** What every Uplinks must do; the simulator's own look at a link follows the same rules (test/sim/effects.ts). */
import { describe, expect, it } from "vitest";
import { createUplinks } from "../../src/adapters/uplinks/linux-uplinks.ts";
import type { Uplinks } from "../../src/ports/uplinks.ts";

function uplinksContract(name: string, make: () => Uplinks): void {
  describe(`uplinks: ${name}`, () => {
    it("is up on an address whose interface works, and says which", async () => {
      const seen = await make().look(["127.0.0.1:7654"]);
      expect(seen.up).toBe(true);
      expect(seen.detail).toMatch(/\blo: carrier/);
    });

    it("names an address that no interface holds", async () => {
      const { detail } = await make().look(["203.0.113.77:7654"]);
      expect(detail).toContain("203.0.113.77");
    });

    it("never rejects, whatever it is asked about", async () => {
      for (const own of [
        [],
        ["nonsense"],
        ["[::1]:7654", "[zz::]:1"],
        ["127.0.0.1:7654", "127.0.0.1:7654"],
      ]) {
        const seen = await make().look(own);
        expect(typeof seen.up).toBe("boolean");
        expect(seen.detail.length).toBeGreaterThan(0);
      }
    });
  });
}

/** Its gateway is not ours to knock at. */
uplinksContract("this machine's", () => createUplinks({ knock: () => Promise.resolve("silence") }));
