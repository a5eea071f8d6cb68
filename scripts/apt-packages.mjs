/** Debian packages that tests use, each with a file that shows it is there. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** A `library` is looked for where Debian keeps those of this machine's kind. */
const PACKAGES = [
  { name: "libatomic1", library: "libatomic.so.1", for: "Balefire's own Node" },
  { name: "iproute2", program: "ip", for: "network namespaces" },
  { name: "nftables", program: "nft", for: "dropping packets" },
  { name: "openssl", program: "openssl", for: "checking certificates with another implementation" },
  { name: "python3", program: "python3", for: "checking formats with another implementation" },
  { name: "systemd", program: "systemd-analyze", for: "checking the unit file" },
  { name: "systemd-container", program: "systemd-nspawn", for: "booting a host of our own" },
  { name: "mmdebstrap", program: "mmdebstrap", for: "the files of that host" },
  { name: "strace", program: "strace", for: "seeing what a program opens and starts" },
  { name: "postfix", program: "postfix", for: "mail through a real server" },
  { name: "lm-sensors", program: "sensors", for: "comparing what sensors print" },
  { name: "prometheus", program: "promtool", for: "checking and scraping metrics" },
  { name: "prometheus-alertmanager", program: "prometheus-alertmanager", for: "alerts at the real service" },
  { name: "curl", program: "curl", for: "asking like another tool" },
  { name: "faketime", program: "faketime", for: "hosts whose clocks are wrong" },
];
const FOLDERS = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** @param {string} program */
const isHere = (program) =>
  FOLDERS.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** @param {string} name */
const isLibrary = (name) =>
  readdirSync("/usr/lib").some((folder) => existsSync(join("/usr/lib", folder, name)));

export const missingPackages = () =>
  PACKAGES.filter(({ program, library }) => (program === undefined ? !isLibrary(library) : !isHere(program)));

/** @param {readonly string[]} names */
export function installPackages(names) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const run = (...words) => spawnSync("apt-get", words, { stdio: ["ignore", 2, 2], env }).status === 0;
  // Tests start their own mail server; the system needs none.
  const input = "postfix postfix/main_mailer_type select No configuration\n";
  spawnSync("debconf-set-selections", { input, stdio: ["pipe", 2, 2], env });
  return run("update", "-q") && run("install", "-y", "-q", "--no-install-recommends", ...names);
}
