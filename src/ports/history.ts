import type { Result } from "../kit/result.ts";
import type { Duration, WallTime } from "../kit/time.ts";

/** What a person is told about a sensor; kept once. */
export interface SensorDescription {
  /** Stable, at most `SENSOR_ID_CHARS_MAX` characters; of a peer's sensor it names the peer too. */
  readonly sensor: string;
  /** Such as `cpu-package` or `fan`. */
  readonly kind: string;
  readonly name: string;
  /** Such as `°C`. */
  readonly unit: string;
}

export interface Sample {
  readonly sensor: string;
  /** Kept to a thousandth. What is not finite, or beyond any sensor, is kept as NaN: read, and no value. */
  readonly value: number;
  /** When it was measured, if not when the batch was taken: an idle disk, a peer's clock. */
  readonly at?: WallTime;
}

export interface SampleBatch {
  /** This host's clock when the batch was taken; how long history is kept is reckoned by it. */
  readonly at: WallTime;
  readonly samples: readonly Sample[];
  /** Of sensors that are new or have changed; may name all of them each time. */
  readonly described?: readonly SensorDescription[];
}

export interface HistoryQuery {
  readonly sensor: string;
  readonly from: WallTime;
  /** Not included. */
  readonly to: WallTime;
  /** Default: the shortest usual step that makes a chart of `CHART_POINTS_MAX` points. */
  readonly step?: Duration;
}

/** What was measured within one step; steps without a value have no point. */
export interface HistoryPoint {
  /** The beginning of the step: a multiple of it since 1970-01-01T00:00:00Z. */
  readonly at: WallTime;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly count: number;
}

export interface HistoryChart {
  readonly step: Duration;
  /** In order of time. The first and the last cover their whole step, also beyond `from` and `to`. */
  readonly points: readonly HistoryPoint[];
}

export interface SampleQuery {
  readonly sensors: readonly string[];
  readonly from: WallTime;
  /** Not included. */
  readonly to: WallTime;
}

/** One sensor's samples as they were appended, in order of time; of several at one time the last. */
export interface SampleSeries {
  readonly sensor: string;
  readonly samples: readonly { readonly at: WallTime; readonly value: number }[];
}

export interface SensorRecord extends SensorDescription {
  /** The earliest and the latest sample ever appended. */
  readonly first: WallTime;
  readonly last: WallTime;
}

export interface HistoryStatus {
  readonly bytes: number;
  readonly bytesMax: number;
  readonly sensors: number;
  /** Samples in memory that a kill would lose. */
  readonly unwritten: number;
  /** Since the start: samples that could not be kept. */
  readonly dropped: number;
  /** Since the start: pieces found damaged. */
  readonly damaged: number;
}

/**
 * What sensors measured, over years. Nothing here rejects or throws: a disk that fails costs history,
 * and never the watch. What fails by itself is told as a trouble to whoever opened it, once until it is over.
 */
export interface History {
  /** Never waits. On disk within the flush interval. */
  append(batch: SampleBatch): void;
  /** A sensor that is not known has no points. */
  query(query: HistoryQuery): Promise<Result<HistoryChart>>;
  /** At the raw rate, as far back as that is kept; for the last minutes before a silence. */
  samples(query: SampleQuery): Promise<Result<readonly SampleSeries[]>>;
  sensors(): Promise<Result<readonly SensorRecord[]>>;
  status(): Promise<Result<HistoryStatus>>;
  /** Puts on disk what was appended before. */
  flush(): Promise<Result<undefined>>;
  /** Flushes and ends; what is asked later fails. */
  close(): Promise<void>;
}
