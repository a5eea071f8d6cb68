import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ASK_TIMEOUT_MS, reasonIn, stopReason } from "./stop-reason.ts";

/** In the form of `systemctl list-jobs --no-legend --plain`, while the system goes down. */
const goingTo = (target: string): string => `2441 systemd-${target.split(".")[0]}.service start waiting
2440 ${target} start waiting
2533 balefire.service stop running
2519 final.target start waiting
2512 umount.target start waiting
2442 shutdown.target start waiting
`;

describe("what systemd is about", () => {
  it.each([
    ["reboot.target", "reboot"],
    ["kexec.target", "reboot"],
    ["soft-reboot.target", "reboot"],
    ["poweroff.target", "shutdown"],
    ["halt.target", "shutdown"],
  ] as const)("%s: %s", (target, reason) => {
    expect(reasonIn(goingTo(target))).toBe(reason);
  });

  it.each([
    ["only this unit is stopped", "812 balefire.service stop running\n"],
    ["it is restarted", "812 balefire.service restart running\n"],
    ["no job is left", "No jobs running.\n"],
    ["nothing is printed", ""],
    ["such a target is stopped, not started", "9 reboot.target stop waiting\n"],
  ])("a stop of the daemon alone: %s", (_, jobs) => {
    expect(reasonIn(jobs)).toBe("stop");
  });
});

describe("asking systemctl", () => {
  let folder: string | undefined;
  afterEach(() => rmSync(folder ?? "", { recursive: true, force: true }));

  /** An environment in which systemctl is this script. */
  function withSystemctl(script: string): NodeJS.ProcessEnv {
    folder = mkdtempSync(join(tmpdir(), "balefire-systemctl-"));
    const program = join(folder, "systemctl");
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o755);
    return { PATH: `${folder}:/usr/bin:/bin`, INVOCATION_ID: "0123" };
  }

  it("reads its list of jobs", async () => {
    const env = withSystemctl(`[ "$1" = list-jobs ] && cat <<'END'\n${goingTo("poweroff.target")}END`);
    expect(await stopReason(env)).toBe("shutdown");
  });

  it("says nothing where it fails, is not there, or systemd did not start this process", async () => {
    expect(await stopReason(withSystemctl("exit 1"))).toBeUndefined();
    expect(await stopReason({ PATH: "/nonexistent", INVOCATION_ID: "0123" })).toBeUndefined();
    const { INVOCATION_ID: _, ...byHand } = withSystemctl("echo 1 reboot.target start waiting");
    expect(await stopReason(byHand)).toBeUndefined();
  });

  it("waits for one that hangs no longer than a second", async () => {
    const began = performance.now();
    expect(await stopReason(withSystemctl("exec sleep 30"))).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(ASK_TIMEOUT_MS + 2000);
  });
});
