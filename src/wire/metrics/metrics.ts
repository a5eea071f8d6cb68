/** All that `/metrics` shows. */
import type { Family } from "./exposition.ts";
import type { MetricsFacts } from "./facts.ts";
import { meshMetrics, tellingMetrics } from "./mesh-metrics.ts";
import { ownMetrics } from "./own-metrics.ts";
import { readingsMetrics } from "./readings-metrics.ts";

export const allMetrics = (facts: MetricsFacts): Family[] => [
  ...ownMetrics(facts),
  ...meshMetrics(facts),
  ...tellingMetrics(facts, facts.tallies),
  ...readingsMetrics(facts.hosts, facts.wall),
];
