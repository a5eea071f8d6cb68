/**
 * Tells systemd how the daemon is: sd_notify(3), the protocol described under "Notes" there.
 * See docs/adr/0003-telling-systemd.md for the way the datagrams are sent.
 */

import type { Failure } from "../../kit/result.ts";
import { type Duration, ms } from "../../kit/time.ts";
import { type DatagramSender, openDatagrams } from "./unix-datagram.ts";

/** Shown by `systemctl status`; systemd itself takes much more. */
export const STATUS_CHARS_MAX: number = 200;

export interface Supervisor {
  /** The daemon serves: `systemctl start` returns, units ordered after it start. */
  ready(): void;
  /** It stops on purpose. */
  stopping(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** To be called every `watchdogEvery` while the daemon is sound; without it systemd restarts the daemon. */
  alive(): void;
  /** Half of WatchdogSec, as sd_watchdog_enabled(3) advises; absent when no watchdog waits for this process. */
  readonly watchdogEvery?: Duration;
}

export interface SupervisorOptions {
  /** A message could not be sent. Told once, until one gets through again. */
  readonly onFailure?: (failure: Failure) => void;
}

const SILENT: Supervisor = {
  ready: () => undefined,
  stopping: () => undefined,
  status: () => undefined,
  alive: () => undefined,
};

/** Does nothing when NOTIFY_SOCKET is not set: not started by systemd, or not with Type=notify. */
export function createSupervisor(
  env: Readonly<Record<string, string | undefined>>,
  options: SupervisorOptions = {},
): Supervisor {
  const path = env.NOTIFY_SOCKET;
  if (path === undefined || path === "") return SILENT;
  const tell = teller(path, options.onFailure ?? (() => undefined));
  const every = watchdogEvery(env);
  return {
    ready: () => tell("READY=1"),
    stopping: () => tell("STOPPING=1"),
    status: (text) => tell(`STATUS=${oneLine(text)}`),
    alive: () => tell("WATCHDOG=1"),
    ...(every === undefined ? {} : { watchdogEvery: every }),
  };
}

function teller(path: string, onFailure: (failure: Failure) => void): (message: string) => void {
  const opened = openDatagrams(path);
  if (!opened.ok) {
    onFailure(opened.error);
    return () => undefined;
  }
  const sender: DatagramSender = opened.value;
  let failing = false;
  return (message) => {
    const sent = sender.send(message);
    if (!sent.ok && !failing) onFailure(sent.error);
    failing = !sent.ok;
  };
}

/** WATCHDOG_PID names another process when a wrapper was started with the watchdog meant for itself. */
function watchdogEvery(env: Readonly<Record<string, string | undefined>>): Duration | undefined {
  const { WATCHDOG_USEC, WATCHDOG_PID } = env;
  if (WATCHDOG_USEC === undefined || !/^[1-9]\d{0,15}$/.test(WATCHDOG_USEC)) return undefined;
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== "" && Number(WATCHDOG_PID) !== process.pid)
    return undefined;
  return ms(Number(WATCHDOG_USEC) / 1000 / 2);
}

/** A line break would begin another assignment. */
const oneLine = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").slice(0, STATUS_CHARS_MAX);
