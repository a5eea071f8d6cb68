/** Whom this host trusts, so that a receiver that curl reaches from here is reached by a channel too. */
import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";

/** Debian's ca-certificates; what `update-ca-certificates` adds an own authority to. */
export const HOST_ROOTS_FILE: string = "/etc/ssl/certs/ca-certificates.crt";

interface Loaded {
  readonly path: string;
  readonly changed: number;
  readonly context: SecureContext;
}

/** One for all channels: it takes 2 MB, and 15 ms to make. */
let loaded: Loaded | undefined;

/** Without such a file: the roots that Node brings along. */
export function hostTrust(path: string): SecureContext | undefined {
  try {
    const changed = statSync(path).mtimeMs;
    if (loaded?.path !== path || loaded.changed !== changed) {
      loaded = { path, changed, context: createSecureContext({ ca: readFileSync(path) }) };
    }
    return loaded.context;
  } catch {
    return undefined;
  }
}
