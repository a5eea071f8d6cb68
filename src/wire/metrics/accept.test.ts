import fc from "fast-check";
import { expect, it } from "vitest";
import { formatFor } from "./accept.ts";

it.each([
  [undefined, "text"],
  ["", "text"],
  ["*/*", "text"],
  ["text/html,application/xhtml+xml,*/*;q=0.8", "text"],
  ["text/plain", "text"],
  ["text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "text"],
  ["application/json", "text"],
  ["application/openmetrics-text", "openmetrics"],
  ["APPLICATION/OpenMetrics-Text; VERSION=1.0.0", "openmetrics"],
  ['application/openmetrics-text; version="1.0.0"; charset=utf-8', "openmetrics"],
  // Prometheus 2.42 and 3.
  [
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "openmetrics",
  ],
  [
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
    "openmetrics",
  ],
  ["application/openmetrics-text;version=0.0.1", "text"],
  ["application/openmetrics-text;version=2.0.0,text/plain;q=0.1", "text"],
  ["application/openmetrics-text;q=0.3,text/plain;q=0.4", "text"],
  ["application/openmetrics-text;q=0.4,text/plain;q=0.3", "openmetrics"],
  ["application/openmetrics-text;q=0,*/*", "text"],
  ["text/plain;q=0,*/*", "openmetrics"],
  ["application/openmetrics-text;q=0.5,*/*;q=0.9", "text"],
  ["application/openmetrics-text;q=7,text/plain;q=0.1", "text"],
  ["application/openmetrics-text,text/plain", "text"],
] as const)("who accepts %s gets %s", (accept, format) => {
  expect(formatFor(accept)).toBe(format);
});

it("never fails, whatever the header says", () => {
  const part = fc.constantFrom(
    "text",
    "plain",
    "/",
    "*",
    ";",
    ",",
    "q=",
    "0.5",
    "=",
    '"',
    " ",
    "openmetrics-text",
    "application",
  );
  const header = fc.oneof(
    fc.string(),
    fc.array(part).map((parts) => parts.join("")),
  );
  fc.assert(fc.property(header, (accept) => ["text", "openmetrics"].includes(formatFor(accept))));
});
