/** The time of day in a time zone, for quiet hours. A pure conversion by the time zone data of the runtime (ICU). */
import type { WallTime } from "./time.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(timeZone: string): Intl.DateTimeFormat {
  const held = formats.get(timeZone);
  if (held !== undefined) return held;
  const made = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  formats.set(timeZone, made);
  return made;
}

/** Whether this is a time zone's IANA name, such as `Europe/Berlin` or `UTC`. */
export function isTimeZone(name: string): boolean {
  try {
    formatFor(name);
    return true;
  } catch {
    return false;
  }
}

/** Minutes since midnight on the clocks of `timeZone`, 0 to 1439. Throws on what is no time zone. */
export function minuteOfDay(wall: WallTime, timeZone: string): number {
  const [hour, minute] = formatFor(timeZone).format(wall).split(":");
  return Number(hour) * 60 + Number(minute);
}
