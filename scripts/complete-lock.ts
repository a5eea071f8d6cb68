/**
 * `npm ci` refuses a lock file in which an optional package of any platform is missing, and npm leaves
 * those out that the registry at hand does not carry (a mirror of one platform). This adds them: their
 * versions are pinned by their dependents, their platforms are in their names, and they are never
 * fetched on others. Run it after every `npm install` that changed the lock file.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "../lab/driver/checkout.ts";

/** What package-lock.json (lockfileVersion 3) says of one package, as far as it matters here. */
export interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
type Packages = Readonly<Record<string, LockEntry>>;

interface Missing {
  readonly name: string;
  readonly version: string;
  readonly dev: boolean;
}

const SYSTEMS = "aix android darwin freebsd linux netbsd openbsd openharmony sunos win32".split(" ");
const PROCESSORS = "arm arm64 ia32 loong64 mips64el ppc64 riscv64 s390x wasm32 x64".split(" ");

/** Every optional dependency that has no entry. */
export const missingOptional = (packages: Packages): readonly Missing[] =>
  Object.entries(packages).flatMap(([path, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(
        ([name]) => !(`${path}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
      )
      .map(([name, version]) => ({ name, version, dev: entry.dev === true })),
  );

/** Throws when the name says no platform or the version is a range: then it has to be written by hand. */
export function entryFor({ name, version, dev }: Missing): LockEntry {
  const words = name.replace(/^.*\//, "").split("-");
  const cpu = PROCESSORS.filter((word) => words.includes(word));
  const os = SYSTEMS.filter((word) => words.includes(word));
  const known = cpu.length === 1 && (os.length === 1 || cpu[0] === "wasm32");
  if (!known || !/^\d+\.\d+\.\d+$/.test(version))
    throw new Error(`cannot tell the platform of ${name}@${version}`);
  const libc = libcOf(words);
  return {
    version,
    cpu,
    ...(dev ? { dev } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    ...(os.length > 0 ? { os } : {}),
  };
}

function libcOf(words: readonly string[]): string | undefined {
  if (words.some((word) => word.startsWith("musl"))) return "musl";
  return words.some((word) => word.startsWith("gnu")) ? "glibc" : undefined;
}

if (import.meta.main) {
  const file = join(CHECKOUT, "package-lock.json");
  const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, LockEntry> };
  const missing = missingOptional(lock.packages);
  for (const wanted of missing) lock.packages[`node_modules/${wanted.name}`] = entryFor(wanted);
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (missing.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${missing.length} optional packages added to package-lock.json`);
}
