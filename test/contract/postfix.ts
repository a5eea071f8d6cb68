/** Debian's Postfix in folders of its own, beside the host's and independent of it; needs root. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import type { Certified } from "./channel-receiver.ts";

const POSTFIX = "/usr/sbin/postfix";
const DAEMONS = "/usr/lib/postfix/sbin";
/** It ends by itself then, should whoever started it not have come to stop it. */
const LIFE_SECONDS = 120;
const WAIT = { timeout: 10_000, interval: 20 };

/** Why it cannot be run here; undefined where it can. */
export function postfixMissing(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  return existsSync(POSTFIX) ? undefined : "no Postfix";
}

export interface Postfix {
  readonly port: number;
  /** The mails delivered so far, as they lie in the mailbox, when there are this many. */
  mails(count: number): Promise<readonly string[]>;
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** Delivers what is for example.test to a mailbox, and refuses to pass on anything else. */
export async function startPostfix(certified: Certified): Promise<Postfix> {
  const folder = mkdtempSync(join(tmpdir(), "balefire-postfix-"));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const conf = layOut(folder, port, certified);
  const master = spawn(join(DAEMONS, "master"), ["-c", conf, "-d", "-e", String(LIFE_SECONDS)], {
    stdio: "ignore",
  });
  await vi.waitFor(() => reach(port), WAIT);
  const stop = async (): Promise<void> => {
    if (master.exitCode !== null || master.signalCode !== null) return;
    const ended = once(master, "exit");
    execFileSync(POSTFIX, ["-c", conf, "stop"], { stdio: "ignore" });
    await ended;
  };
  const inbox = join(folder, "mail/inbox/new");
  return {
    port,
    mails: (count) =>
      vi.waitFor(() => {
        const names = existsSync(inbox) ? readdirSync(inbox).toSorted() : [];
        if (names.length < count) throw new Error(`${names.length} of ${count} mails are there`);
        return names.map((name) => readFileSync(join(inbox, name), "utf8"));
      }, WAIT),
    stop,
    close: async () => {
      await stop();
      rmSync(folder, { recursive: true });
    },
  };
}

function layOut(folder: string, port: number, certified: Certified): string {
  const conf = join(folder, "conf");
  for (const name of ["conf", "spool", "data", "mail"]) mkdirSync(join(folder, name), { mode: 0o755 });
  const [uid = 0, gid = 0] = ["-u", "-g"].map((which) =>
    Number(execFileSync("id", [which, "postfix"], { encoding: "utf8" })),
  );
  for (const name of ["data", "mail"]) chownSync(join(folder, name), uid, gid);
  writeFileSync(join(conf, "cert.pem"), `${certified.key}${certified.cert}`, { mode: 0o600 });
  writeFileSync(join(conf, "master.cf"), `127.0.0.1:${port} inet n - n - - smtpd\n${SERVICES}`);
  writeFileSync(join(conf, "dynamicmaps.cf"), "");
  writeFileSync(
    join(conf, "main.cf"),
    `compatibility_level = 3.6
queue_directory = ${folder}/spool
data_directory = ${folder}/data
command_directory = /usr/sbin
daemon_directory = ${DAEMONS}
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.example.test
mydestination =
mynetworks =
alias_maps =
virtual_mailbox_domains = example.test
virtual_mailbox_base = ${folder}/mail
virtual_mailbox_maps = static:inbox/
virtual_minimum_uid = 1
virtual_uid_maps = static:${uid}
virtual_gid_maps = static:${gid}
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = ${conf}/cert.pem
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access inline:{busy@example.test=defer}
`,
  );
  // Makes the queue's folders with the owners that Postfix asks for.
  execFileSync(POSTFIX, ["-c", conf, "check"], { stdio: "ignore" });
  return conf;
}

const SERVICES = `cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

async function reach(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "data");
  socket.destroy();
}
