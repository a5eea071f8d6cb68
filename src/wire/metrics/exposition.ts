/**
 * Metric families as text: Prometheus' own format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/) and OpenMetrics 1.0
 * (https://github.com/prometheus/OpenMetrics, specification/OpenMetrics.md). Both give the same
 * series, so that what a reader asks for does not change what it stores.
 */
export type MetricType = "counter" | "gauge" | "histogram" | "info";
export type ExpositionFormat = "text" | "openmetrics";

export interface FamilyHead {
  /** Without the suffix that the type gives to a series. With a unit it ends in that. */
  readonly name: string;
  readonly type: MetricType;
  readonly unit?: string;
  readonly help: string;
  /** All labels that its series have, in this order. */
  readonly labels: readonly string[];
}

export interface Histogram {
  /** Upper bounds, ascending, without infinity, and how many observations were at most that. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
  readonly sum: number;
  readonly count: number;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | Histogram;
}

export interface Family extends FamilyHead {
  readonly samples: Iterable<Sample>;
}

/** What both formats call the series of a type. */
const SUFFIX: Readonly<Record<MetricType, string>> = {
  counter: "_total",
  gauge: "",
  histogram: "",
  info: "_info",
};

/** The whole at once. */
export const exposition = (families: readonly Family[], format: ExpositionFormat): string =>
  [...expositionLines(families, format), ""].join("\n");

/**
 * Line by line, without line ends, so that whoever has more to do can do it in between. Families without
 * a sample are left out; of two series with the same labels, the first counts.
 */
export function* expositionLines(families: readonly Family[], format: ExpositionFormat): Generator<string> {
  for (const family of families) {
    let isFirst = true;
    for (const line of seriesOf(family)) {
      if (isFirst) yield* format === "openmetrics" ? openMetricsHead(family) : textHead(family);
      isFirst = false;
      yield line;
    }
  }
  if (format === "openmetrics") yield "# EOF";
}

function textHead({ name, type, help }: FamilyHead): string[] {
  const series = `${name}${SUFFIX[type]}`;
  return [
    `# HELP ${series} ${help.replace(/[\\\n]/g, escaped)}`,
    `# TYPE ${series} ${type === "info" ? "gauge" : type}`,
  ];
}

function openMetricsHead({ name, type, unit, help }: FamilyHead): string[] {
  const units = unit === undefined ? [] : [`# UNIT ${name} ${unit}`];
  return [`# TYPE ${name} ${type}`, ...units, `# HELP ${name} ${quotable(help)}`];
}

function* seriesOf({ name, type, labels: order, samples }: Family): Generator<string> {
  const series = `${name}${SUFFIX[type]}`;
  const seen = new Set<string>();
  for (const { labels, value } of samples) {
    const pairs = order.map((label) => `${label}="${quotable(labels[label] ?? "")}"`).join(",");
    if (seen.has(pairs)) continue;
    seen.add(pairs);
    if (typeof value === "number") yield `${series}${braced(pairs)} ${numberText(value)}`;
    else yield* histogramSeries(name, pairs, value);
  }
}

function* histogramSeries(
  name: string,
  pairs: string,
  { buckets, sum, count }: Histogram,
): Generator<string> {
  const before = pairs === "" ? "" : `${pairs},`;
  for (const bucket of [...buckets, { le: Number.POSITIVE_INFINITY, count }])
    yield `${name}_bucket{${before}le="${boundText(bucket.le)}"} ${numberText(bucket.count)}`;
  yield `${name}_count${braced(pairs)} ${numberText(count)}`;
  yield `${name}_sum${braced(pairs)} ${numberText(sum)}`;
}

const braced = (pairs: string): string => (pairs === "" ? "" : `{${pairs}}`);

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n" };
const escaped = (character: string): string => ESCAPES[character] ?? character;

/** Half a surrogate pair has no UTF-8: two different ones would arrive as the same series. */
const quotable = (text: string): string =>
  PLAIN.test(text) ? text : text.toWellFormed().replace(/[\\"\n]/g, escaped);
/** Nearly every label; to look for what is to be escaped costs four times as much. */
const PLAIN = /^[ !#-[\]-~]*$/;

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

/** Bounds are labels: OpenMetrics wants them to look like floats, whatever wrote them. */
const boundText = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1) : numberText(value);
