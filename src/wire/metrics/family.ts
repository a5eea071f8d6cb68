/** Families of the table, with labels that the compiler checks against it. */
import { headOf, type METRICS, type MetricName } from "./definitions.ts";
import type { Family, Histogram } from "./exposition.ts";

type LabelOf<N extends MetricName> = (typeof METRICS)[N]["labels"][number];

/** A row without a value, because nothing is known, has no series. */
export type Row<L extends string> = readonly [Readonly<Record<L, string>>, number | Histogram | undefined];

export const family = <N extends MetricName>(name: N, rows: Iterable<Row<LabelOf<N>>>): Family => ({
  ...headOf(name),
  samples: lazily(function* () {
    for (const [labels, value] of rows) if (value !== undefined) yield { labels, value };
  }),
});

/** Made while it is read, and again each time. */
export const lazily = <T>(make: () => Iterator<T>): Iterable<T> => ({ [Symbol.iterator]: make });

type Unlabelled = {
  [N in MetricName]: (typeof METRICS)[N]["labels"] extends readonly [] ? N : never;
}[MetricName];

/** A metric with one series. */
export const single = (name: Unlabelled, value: number | Histogram | undefined): Family => ({
  ...headOf(name),
  samples: value === undefined ? [] : [{ labels: {}, value }],
});

export const flag = (value: boolean): number => (value ? 1 : 0);
/** Milliseconds, of whatever clock, as the base unit. Nanoseconds are below any clock here; the digits beyond are noise. */
export const inSeconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : Number((milliseconds / 1000).toFixed(9));
