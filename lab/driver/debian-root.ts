/**
 * The files of a Debian that systemd boots: made once by mmdebstrap from Debian's own mirror, kept in
 * `build/debian`, and never written to by whoever boots it.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "./checkout.ts";
import { cleanEnvironment, runOrThrow } from "./child.ts";
import { atEnd } from "./cleanup.ts";

const MIRROR = "http://deb.debian.org/debian";
/** Of Proxmox VE 8. */
const SUITE = "bookworm";
/** systemd as the first process, D-Bus and with it logind, as on Proxmox VE; and what Balefire's own Node links to. */
const PACKAGES = ["systemd", "systemd-sysv", "dbus", "libatomic1"];
const FOLDER = join(CHECKOUT, "build/debian");
/** It downloads 60 MB and takes 20 s of CPU. */
const MAKE_MS_MAX = 240_000;

export const MMDEBSTRAP = "/usr/bin/mmdebstrap";

/** The folder; made first where it is not there. Rejects with the end of what mmdebstrap said. */
export async function debianRoot(): Promise<string> {
  const made = createHash("sha256").update([MIRROR, SUITE, ...PACKAGES].join(" "));
  const root = join(FOLDER, `${SUITE}-${made.digest("hex").slice(0, 8)}`);
  if (existsSync(root)) return root;
  mkdirSync(FOLDER, { recursive: true });
  const unfinished = mkdtempSync(join(FOLDER, "unfinished-"));
  const remove = atEnd(() => rmSync(unfinished, { recursive: true, force: true }));
  try {
    const words = ["--mode=root", "--variant=minbase", `--include=${PACKAGES.join(",")}`];
    const env = cleanEnvironment({ DEBIAN_FRONTEND: "noninteractive" });
    await runOrThrow([MMDEBSTRAP, ...words, SUITE, unfinished, MIRROR], { timeoutMs: MAKE_MS_MAX, env });
    renameSync(unfinished, root);
    return root;
  } finally {
    remove();
  }
}
