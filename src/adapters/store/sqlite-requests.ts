/** What the store and its worker say to one another. */
import type { Stored } from "../../core/io.ts";
import type { Failure } from "../../kit/result.ts";

export interface StoreSettings {
  readonly path: string;
  /** Size of the file at most, in pages of 4 KiB. */
  readonly pagesMax: number;
}

export type StoreRequest =
  /** Comes first. A damaged file is moved aside only here, before anything was read from it. */
  | { readonly type: "open" }
  | { readonly type: "load" }
  | { readonly type: "commit"; readonly records: readonly Stored[] }
  | { readonly type: "close" };

export interface NumberedRequest {
  readonly number: number;
  readonly request: StoreRequest;
}

export type StoreReply =
  /** One of many, before the `done` of a load. */
  | { readonly number: number; readonly type: "rows"; readonly records: readonly Stored[] }
  | { readonly number: number; readonly type: "done"; readonly damaged: readonly string[] }
  | { readonly number: number; readonly type: "failed"; readonly failure: Failure };
