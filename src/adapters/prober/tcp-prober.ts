/**
 * Probes by connecting. What connect() returns on Linux and what it proves:
 *
 * | answer on the wire                            | errno                     | outcome  |
 * |-----------------------------------------------|---------------------------|----------|
 * | SYN-ACK                                       | none                      | accepted |
 * | RST                                           | ECONNREFUSED              | refused  |
 * | ICMP port unreachable (3/3)                   | ECONNREFUSED              | refused  |
 * | ICMP net or host unreachable (3/0, 3/1)       | ENETUNREACH, EHOSTUNREACH | silent   |
 * | ICMP administratively prohibited (3/9,10,13)  | ENETUNREACH, EHOSTUNREACH | silent   |
 * | no ARP or ND answer                           | EHOSTUNREACH              | silent   |
 * | no route                                      | ENETUNREACH               | silent   |
 * | nothing                                       | (our patience)            | silent   |
 *
 * Source: Linux net/ipv4/icmp.c `icmp_err_convert` and net/ipv4/tcp_ipv4.c `tcp_v4_err` (a socket
 * in SYN_SENT fails with the converted error); net/ipv6/icmp.c `tab_unreach` alike, where
 * "administratively prohibited" is EACCES and "reject route" too.
 *
 * Limit: a firewall between the hosts that rejects with port-unreachable or a TCP reset looks like
 * the host's own kernel, since connect() does not say who answered. It then makes `daemon-down` of
 * `host-down`: told either way, with the wrong reason. Mesh hosts are neighbours, as a rule, and
 * nothing stands between them.
 */
import { connect, type Socket } from "node:net";
import type { Address, ProbeOutcome } from "../../core/types.ts";
import type { Prober } from "../../ports/prober.ts";
import { type AddressParts, addressParts } from "../../wire/address.ts";
import { nearestOwn } from "../../wire/nearest-address.ts";

/** Connects in parallel, a quarter of the patience apart: one lost SYN, which TCP itself would repeat after a second, does not matter. */
export const CONNECTS: number = 3;
const SPACING: number = 1 / 4;

export interface ProberOptions {
  /** This host's mesh addresses: probes leave from the one nearest to their target. */
  readonly own: readonly Address[];
}

export function createProber({ own }: ProberOptions): Prober {
  return {
    probe: (address, patience) => {
      const target = addressParts(address);
      if (target === undefined) return Promise.resolve("silent");
      return knock(target, nearestOwn(own, target)?.host, patience);
    },
  };
}

/** The first proof of life counts; silence only when every attempt has failed or patience is over. */
function knock(target: AddressParts, source: string | undefined, patienceMs: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const sockets: Socket[] = [];
    const timers: NodeJS.Timeout[] = [];
    let failures = 0;

    const end = (outcome: ProbeOutcome): void => {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) hangUp(socket);
      resolve(outcome);
    };
    const attempt = (): void => {
      const socket = connect({ host: target.host, port: target.port, ...from(source) });
      sockets.push(socket);
      socket.once("connect", () => end("accepted"));
      socket.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ECONNREFUSED") return end("refused");
        failures += 1;
        if (failures === CONNECTS) end("silent");
      });
    };

    timers.push(setTimeout(() => end("silent"), patienceMs));
    for (let number = 1; number < CONNECTS; number += 1) {
      timers.push(setTimeout(attempt, patienceMs * SPACING * number));
    }
    attempt();
  });
}

/**
 * Reset instead of FIN: no TIME_WAIT here, and a hung daemon's backlog is freed at once. While it still
 * connects, `resetAndDestroy` would wait for the outcome first, two minutes and more.
 */
function hangUp(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

const from = (source: string | undefined): { localAddress?: string } =>
  source === undefined ? {} : { localAddress: source };
