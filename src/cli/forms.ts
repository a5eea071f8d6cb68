import type { Failure } from "../kit/result.ts";

export const bothForms: Failure = {
  code: "usage",
  message: "--json and --csv are two forms of the same",
  remedy: "Give one of them.",
  retry: false,
};
