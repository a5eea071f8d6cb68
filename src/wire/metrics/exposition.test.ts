import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ExpositionFormat, exposition, type Family, type MetricType } from "./exposition.ts";

const gauge = (samples: Family["samples"], more: Partial<Family> = {}): Family => ({
  name: "x_celsius",
  type: "gauge",
  unit: "celsius",
  help: "How warm",
  labels: ["node", "sensor"],
  samples,
  ...more,
});
const at = (node: string, value: number, sensor = "s") => ({ labels: { node, sensor }, value });

describe("a family", () => {
  it("is as Prometheus' own format has it", () => {
    expect(exposition([gauge([at("a", 41.5), at("b", -3)])], "text")).toBe(
      [
        "# HELP x_celsius How warm",
        "# TYPE x_celsius gauge",
        'x_celsius{node="a",sensor="s"} 41.5',
        'x_celsius{node="b",sensor="s"} -3',
        "",
      ].join("\n"),
    );
  });

  it("is as OpenMetrics has it: with its unit, and with an end", () => {
    expect(exposition([gauge([at("a", 41.5)])], "openmetrics")).toBe(
      [
        "# TYPE x_celsius gauge",
        "# UNIT x_celsius celsius",
        "# HELP x_celsius How warm",
        'x_celsius{node="a",sensor="s"} 41.5',
        "# EOF",
        "",
      ].join("\n"),
    );
  });

  it.each([
    ["counter", "text", "# TYPE x_total counter", "x_total 1"],
    ["counter", "openmetrics", "# TYPE x counter", "x_total 1"],
    ["info", "text", "# TYPE x_info gauge", "x_info 1"],
    ["info", "openmetrics", "# TYPE x info", "x_info 1"],
  ] as const)("that is a %s has in %s the name that belongs to it", (type, format, head, series) => {
    const text = exposition(
      [{ name: "x", type, help: "", labels: [], samples: [{ labels: {}, value: 1 }] }],
      format,
    );
    expect(text).toContain(`${head}\n`);
    expect(text).toContain(`\n${series}\n`);
  });

  it("that is a histogram has cumulative buckets up to infinity, sum and count", () => {
    const value = {
      buckets: [
        { le: 0.5, count: 1 },
        { le: 1, count: 3 },
      ],
      sum: 4.5,
      count: 4,
    };
    const histogram: Family = {
      name: "x",
      type: "histogram",
      help: "",
      labels: ["a"],
      samples: [{ labels: { a: "b" }, value }],
    };
    const series = exposition([histogram], "text").split("\n").slice(2);
    expect(series).toEqual([
      'x_bucket{a="b",le="0.5"} 1',
      'x_bucket{a="b",le="1.0"} 3',
      'x_bucket{a="b",le="+Inf"} 4',
      'x_count{a="b"} 4',
      'x_sum{a="b"} 4.5',
      "",
    ]);
  });

  it("without a sample is left out; nothing at all is an end only", () => {
    expect(exposition([gauge([])], "text")).toBe("");
    expect(exposition([gauge([])], "openmetrics")).toBe("# EOF\n");
  });

  it("shows the first of two series with the same labels", () => {
    expect(exposition([gauge([at("a", 1), at("a", 2), at("a", 3, "t")])], "text")).toMatch(
      /^x_celsius\{node="a",sensor="s"\} 1\nx_celsius\{node="a",sensor="t"\} 3\n$/m,
    );
  });

  it("has words for values that are no numbers", () => {
    const text = exposition(
      [gauge([at("a", Number.NaN), at("b", Infinity), at("c", -Infinity), at("d", 1e21)])],
      "text",
    );
    expect([...text.matchAll(/\} (.*)$/gm)].map(([, value]) => value)).toEqual([
      "NaN",
      "+Inf",
      "-Inf",
      "1e+21",
    ]);
  });
});

/** What a reader of either format makes of a line of series: name, labels, value. Undefined where it cannot read it. */
function readSeries(
  line: string,
): { readonly key: string; readonly labels: Record<string, string> } | undefined {
  const [, name, inner = ""] =
    /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (?:NaN|[+-]Inf|-?\d[\d.e+-]*)$/.exec(
      line,
    ) ?? [];
  if (name === undefined) return undefined;
  const pairs = [...inner.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"/g)];
  const plain = (text: string): string =>
    text.replace(/\\(.)/g, (_, each: string) => (each === "n" ? "\n" : each));
  return {
    key: `${name}{${inner}}`,
    labels: Object.fromEntries(pairs.map(([, label, text]) => [label, plain(text ?? "")])),
  };
}

describe("whatever the labels and values are", () => {
  const anyText = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\\", '"', "\n", "\ud800", "\udfff", "\\n", "}", " "),
  );
  const samples = fc.array(fc.record({ node: anyText, sensor: anyText, value: fc.double() }), {
    maxLength: 8,
  });
  const type = fc.constantFrom<MetricType>("gauge", "counter", "info");
  const format = fc.constantFrom<ExpositionFormat>("text", "openmetrics");

  it("every line can be read, every label comes back, and no series is there twice", () => {
    fc.assert(
      fc.property(samples, type, format, anyText, (given, ofType, inFormat, help) => {
        const family = gauge(
          given.map(({ node, sensor, value }) => ({ labels: { node, sensor }, value })),
          { type: ofType, help },
        );
        const text = exposition([family], inFormat);
        const lines = text.split("\n");
        expect(lines.pop()).toBe("");
        const series = lines.filter((line) => !/^# (HELP|TYPE|UNIT|EOF)/.test(line)).map(readSeries);
        expect(series).not.toContain(undefined);
        expect(new Set(series.map((each) => each?.key)).size).toBe(series.length);
        const wanted = new Set(
          given.map(({ node, sensor }) => JSON.stringify([node.toWellFormed(), sensor.toWellFormed()])),
        );
        expect(
          new Set(series.map((each) => JSON.stringify([each?.labels.node, each?.labels.sensor]))),
        ).toEqual(wanted);
      }),
    );
  });

  it("both formats have the same series", () => {
    fc.assert(
      fc.property(samples, type, (given, ofType) => {
        const family = gauge(
          given.map(({ node, sensor, value }) => ({ labels: { node, sensor }, value })),
          { type: ofType },
        );
        const seriesIn = (inFormat: ExpositionFormat): string[] =>
          exposition([family], inFormat)
            .split("\n")
            .filter((line) => line !== "" && !line.startsWith("#"));
        expect(seriesIn("openmetrics")).toEqual(seriesIn("text"));
      }),
    );
  });
});
