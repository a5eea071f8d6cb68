/** Samples of hours that are not closed yet, as they came. */
import { HOUR_MS } from "./hour.ts";
import { HOUR_SAMPLES_MAX, OPEN_HOURS_MAX, OPEN_SAMPLES_MAX } from "./limits.ts";
import { inOrder, type Samples } from "./samples.ts";

interface Series {
  times: number[];
  values: number[];
  /** How many of them, from the first, are in the file's tail. */
  written: number;
}

export interface OpenHour {
  readonly hour: number;
  readonly series: ReadonlyMap<string, Samples>;
  /** How much had been recorded when the last sample came. */
  readonly touched: number;
}

interface Hour extends OpenHour {
  readonly series: Map<string, Series>;
  touched: number;
}

export class OpenHours {
  /** Samples dropped for want of room, ever. */
  dropped = 0;
  /** Samples that are in memory alone. */
  unwritten = 0;
  private total = 0;
  private readonly hours = new Map<number, Hour>();

  /** `at` in milliseconds since 1970, `value` scaled; `recorded` tells how much has been by now. */
  add(sensor: string, at: number, value: number, recorded: number): void {
    const number = Math.floor(at / HOUR_MS);
    if (this.total >= OPEN_SAMPLES_MAX) this.dropOldest(number);
    const hour = this.hourOf(number, recorded);
    const series = seriesOf(hour, sensor);
    if (this.total >= OPEN_SAMPLES_MAX || series.times.length >= HOUR_SAMPLES_MAX) {
      this.dropped += 1;
      return;
    }
    series.times.push(at - number * HOUR_MS);
    series.values.push(value);
    hour.touched = recorded;
    this.total += 1;
    this.unwritten += 1;
  }

  /** What the file's tail holds; it came before all that was added. */
  restore(number: number, sensor: string, { times, values }: Samples, recorded: number): void {
    const hour = this.hourOf(number, recorded);
    const series = seriesOf(hour, sensor);
    series.times.splice(series.written, 0, ...times);
    series.values.splice(series.written, 0, ...values);
    series.written += times.length;
    hour.touched = Math.max(hour.touched, recorded);
    this.total += times.length;
  }

  /** Those to be closed: nothing came for so long, or a clock that jumps has opened too many. */
  toClose(untouchedSince: number): OpenHour[] {
    const recent = [...this.hours.values()].sort((a, b) => b.touched - a.touched);
    return recent.filter(({ touched }, index) => touched <= untouchedSince || index >= OPEN_HOURS_MAX);
  }

  all(): OpenHour[] {
    return [...this.hours.values()];
  }

  /** In order; undefined when nothing is open for it. */
  samples(hour: number, sensor: string): Samples | undefined {
    const series = this.hours.get(hour)?.series.get(sensor);
    return series === undefined ? undefined : inOrder(series);
  }

  hoursOf(sensor: string): number[] {
    return this.all().flatMap(({ hour, series }) => (series.has(sensor) ? [hour] : []));
  }

  /** What is not in the tail, in order; sensors without any are left out. */
  pending(hour: OpenHour): ReadonlyMap<string, Samples> {
    const pending = new Map<string, Samples>();
    for (const [sensor, { times, values, written }] of this.hours.get(hour.hour)?.series ?? []) {
      if (written === times.length) continue;
      pending.set(sensor, inOrder({ times: times.slice(written), values: values.slice(written) }));
    }
    return pending;
  }

  /** The given hours are closed, and all else is in the tail. */
  committed(closed: readonly OpenHour[]): void {
    for (const { hour } of closed) this.forget(hour);
    for (const { series } of this.hours.values()) {
      for (const one of series.values()) one.written = one.times.length;
    }
    this.unwritten = 0;
  }

  /** The file with the tail is gone. */
  nothingWritten(): void {
    for (const { series } of this.hours.values()) for (const one of series.values()) one.written = 0;
    this.unwritten = this.total;
  }

  private hourOf(number: number, recorded: number): Hour {
    let hour = this.hours.get(number);
    if (hour === undefined) {
      hour = { hour: number, series: new Map(), touched: recorded };
      this.hours.set(number, hour);
    }
    return hour;
  }

  private dropOldest(except: number): void {
    const others = this.all().filter(({ hour }) => hour !== except);
    const [oldest] = others.sort((a, b) => a.touched - b.touched);
    if (oldest !== undefined) this.dropped += this.forget(oldest.hour);
  }

  private forget(number: number): number {
    let forgotten = 0;
    for (const { times, written } of this.hours.get(number)?.series.values() ?? []) {
      forgotten += times.length;
      this.unwritten -= times.length - written;
    }
    this.hours.delete(number);
    this.total -= forgotten;
    return forgotten;
  }
}

function seriesOf(hour: Hour, sensor: string): Series {
  let series = hour.series.get(sensor);
  if (series === undefined) {
    series = { times: [], values: [], written: 0 };
    hour.series.set(sensor, series);
  }
  return series;
}
