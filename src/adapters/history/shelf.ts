/** Reads the file's chunks; what is damaged is counted and counts as not there. */
import { decodeAggregates, encodeAggregates, type Placed } from "./aggregates.ts";
import { dayOf, type HistoryFile } from "./history-file.ts";
import {
  HOURS_A_DAY,
  MINUTES_AN_HOUR,
  QUARTERS_AN_HOUR,
  type SensorHour,
  type Tier,
  withSamples,
} from "./hour.ts";
import { decodeSamples, encodeSamples, NO_SAMPLES, type Samples } from "./samples.ts";

const QUARTERS_A_DAY = QUARTERS_AN_HOUR * HOURS_A_DAY;

export class Shelf {
  readonly file: HistoryFile;
  /** Counts chunks that could not be read. */
  private readonly damaged: () => void;

  constructor(file: HistoryFile, damaged: () => void) {
    this.file = file;
    this.damaged = damaged;
  }

  samples(hour: number, sensor: number): Samples {
    return this.read("raw", hour, sensor, decodeSamples) ?? NO_SAMPLES;
  }

  minutes(hour: number, sensor: number): Placed[] {
    return this.read("minute", hour, sensor, (bytes) => decodeAggregates(bytes, MINUTES_AN_HOUR)) ?? [];
  }

  /** The quarters of a day, places from 0 to 95. */
  day(day: number, sensor: number): Placed[] {
    return this.read("quarter", day, sensor, (bytes) => decodeAggregates(bytes, QUARTERS_A_DAY)) ?? [];
  }

  /** All tiers that are needed to answer at the given one. */
  hour(hour: number, sensor: number, tier: Tier, day: readonly Placed[]): SensorHour {
    const samples = tier === "raw" ? this.samples(hour, sensor) : NO_SAMPLES;
    const minutes = tier === "quarter" || samples.times.length > 0 ? [] : this.minutes(hour, sensor);
    return { samples, minutes, quarters: quartersIn(day, hour) };
  }

  /** The hour as it is with the samples in it. */
  joined(hour: number, sensor: number, samples: Samples, day: readonly Placed[]): SensorHour {
    const stored = {
      samples: this.samples(hour, sensor),
      minutes: this.minutes(hour, sensor),
      quarters: quartersIn(day, hour),
    };
    return withSamples(stored, samples);
  }

  /** Within a transaction: adds the samples to all three tiers. */
  close(hour: number, sensor: number, samples: Samples): void {
    const day = this.day(dayOf(hour), sensor);
    const whole = this.joined(hour, sensor, samples, day);
    this.file.putChunk("raw", hour, sensor, encodeSamples(whole.samples));
    if (whole.minutes.length > 0) this.file.putChunk("minute", hour, sensor, encodeAggregates(whole.minutes));
    const first = (hour % HOURS_A_DAY) * QUARTERS_AN_HOUR;
    const others = day.filter(({ place }) => place < first || place >= first + QUARTERS_AN_HOUR);
    const quarters = [...others, ...whole.quarters.map((one) => ({ ...one, place: one.place + first }))];
    if (quarters.length === 0) return;
    const inOrder = quarters.sort((a, b) => a.place - b.place);
    this.file.putChunk("quarter", dayOf(hour), sensor, encodeAggregates(inOrder));
  }

  private read<T>(
    tier: Tier,
    slot: number,
    sensor: number,
    decode: (bytes: Uint8Array) => T | undefined,
  ): T | undefined {
    const bytes = this.file.chunk(tier, slot, sensor);
    if (bytes === undefined) return undefined;
    const content = bytes === "damaged" ? undefined : decode(bytes);
    if (content === undefined) this.damaged();
    return content;
  }
}

function quartersIn(day: readonly Placed[], hour: number): Placed[] {
  const first = (hour % HOURS_A_DAY) * QUARTERS_AN_HOUR;
  return day
    .filter(({ place }) => place >= first && place < first + QUARTERS_AN_HOUR)
    .map((one) => ({ ...one, place: one.place - first }));
}
