/** What the history and its worker say to one another. */
import type { Failure, Result } from "../../kit/result.ts";
import type {
  HistoryChart,
  HistoryQuery,
  HistoryStatus,
  SampleBatch,
  SampleQuery,
  SampleSeries,
  SensorRecord,
} from "../../ports/history.ts";

export interface HistorySettings {
  readonly path: string;
  readonly bytesMax: number;
  readonly flushMs: number;
}

interface Exchanges {
  readonly append: { readonly ask: SampleBatch; readonly answer: undefined };
  readonly query: { readonly ask: HistoryQuery; readonly answer: HistoryChart };
  readonly samples: { readonly ask: SampleQuery; readonly answer: readonly SampleSeries[] };
  readonly sensors: { readonly ask: undefined; readonly answer: readonly SensorRecord[] };
  readonly status: { readonly ask: undefined; readonly answer: HistoryStatus };
  readonly flush: { readonly ask: undefined; readonly answer: undefined };
  readonly close: { readonly ask: undefined; readonly answer: undefined };
}

export type Question = keyof Exchanges;
export type Ask<Q extends Question> = Exchanges[Q]["ask"];
export type Answer<Q extends Question> = Exchanges[Q]["answer"];

/** Distributed over the questions: `about` fits its `type`. */
export type HistoryRequest = { [Q in Question]: { readonly type: Q; readonly about: Ask<Q> } }[Question];

export interface NumberedRequest {
  readonly number: number;
  readonly request: HistoryRequest;
}

export type HistoryReply =
  | { readonly type: "answer"; readonly number: number; readonly result: Result<Answer<Question>> }
  | { readonly type: "trouble"; readonly failure: Failure };
