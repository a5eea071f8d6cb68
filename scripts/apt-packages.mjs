/** Debian packages that tests use, each with a file that shows it is there. */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";

const PACKAGES = [
  { name: "iproute2", program: "ip", for: "network namespaces" },
  { name: "nftables", program: "nft", for: "dropping packets" },
  { name: "openssl", program: "openssl", for: "checking certificates with another implementation" },
  { name: "python3", program: "python3", for: "checking formats with another implementation" },
  { name: "systemd", program: "systemd-analyze", for: "checking the unit file" },
  { name: "postfix", program: "postfix", for: "mail through a real server" },
  { name: "lm-sensors", program: "sensors", for: "comparing what sensors print" },
  { name: "prometheus", program: "promtool", for: "checking and scraping metrics" },
  { name: "prometheus-alertmanager", program: "prometheus-alertmanager", for: "alerts at the real service" },
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

export const missingPackages = () => PACKAGES.filter(({ program }) => !isHere(program));

/** @param {readonly string[]} names */
export function installPackages(names) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const run = (...words) => spawnSync("apt-get", words, { stdio: ["ignore", 2, 2], env }).status === 0;
  return run("update", "-q") && run("install", "-y", "-q", "--no-install-recommends", ...names);
}
