/** What the HTTP port answers. Whoever asks is on this host; a page in a browser there must not be able to read along. */
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono, type MiddlewareHandler } from "hono";
import { loopbackParts } from "../../wire/http-listen.ts";
import { CONTENT_TYPES, formatFor } from "../../wire/metrics/accept.ts";
import type { HttpPages, ReadingsWanted } from "./pages.ts";

/** Longer than any browser's request to a host without cookies. */
const HEADER_BYTES_MAX = 8192;

/** Of a revocation list all but the root's pin: whoever guesses pins must not grow a metric. */
const CRL_PATH = "/pki/crl/";
const PATHS = ["/health", "/metrics"];
/** As files of it are called by those that made them known; there is no registered type for a list in PEM. */
const PEM_TYPE = "application/x-pem-file";
const READINGS_WANTED: readonly ReadingsWanted[] = ["mesh", "own", "none"];

/**
 * Serves connections that are handed to it. One request a connection: readers come every few
 * seconds at most, and whoever hands connections over bounds their time as a whole.
 */
export function createRequestServer(pages: HttpPages): Server {
  const app = createApp(pages);
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
    response.setHeader("Connection", "close");
    void answer(request, response);
  });
  server.maxRequestsPerSocket = 1;
  return server;
}

function createApp(pages: HttpPages): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header("Cache-Control", "no-store");
    context.header("Content-Security-Policy", "default-src 'none'");
    context.header("Cross-Origin-Resource-Policy", "same-origin");
    context.header("X-Content-Type-Options", "nosniff");
    pages.onAnswered(pathCounted(context.req.path), context.res.status);
  });
  app.use(forThisHost(() => pages.hostNames()));
  app.use(readOnly);
  app.get("/health", (context) => {
    const { code, report } = pages.health();
    return context.json(report, code);
  });
  app.get("/metrics", async (context) => {
    const asked = context.req.query("readings") ?? "mesh";
    const wanted = READINGS_WANTED.find((each) => each === asked);
    if (wanted === undefined) return context.text(`readings: one of ${READINGS_WANTED.join(", ")}\n`, 400);
    const format = formatFor(context.req.header("accept"));
    return context.body(await pages.metrics(format, wanted), 200, { "Content-Type": CONTENT_TYPES[format] });
  });
  app.get(`${CRL_PATH}:file{[A-Za-z0-9_-]{43}\\.pem}`, (context) => {
    const pem = pages.crl(context.req.param("file").replace(/\.pem$/, ""));
    if (pem === undefined) return context.text("This mesh has no such root, or no list of it yet.\n", 404);
    return context.body(pem, 200, { "Content-Type": PEM_TYPE });
  });
  app.notFound((context) =>
    context.text(`This port serves ${[...PATHS, `${CRL_PATH}ROOT.pem`].join(", ")}.\n`, 404),
  );
  app.onError((error, context) => {
    pages.onError(error);
    return context.text("internal error; see the journal\n", 500);
  });
  return app;
}

function pathCounted(path: string): string {
  if (path.startsWith(CRL_PATH)) return CRL_PATH;
  return PATHS.includes(path) ? path : "other";
}

/**
 * A page from anywhere may have its own name point to this host (DNS rebinding) and would then be of
 * one origin with this port; the name it used stands in the request.
 */
const forThisHost =
  (names: () => readonly string[]): MiddlewareHandler =>
  async (context, next) => {
    const asked = context.req.header("host")?.toLowerCase() ?? "";
    const host = asked.replace(/:\d{0,5}$/, "");
    if (names().includes(host) || loopbackParts(`${host}:0`) !== undefined) return next();
    return context.text("This port is for its own host: ask for localhost.\n", 421);
  };

const readOnly: MiddlewareHandler = async (context, next) => {
  if (context.req.method === "GET" || context.req.method === "HEAD") return next();
  return context.text("GET and HEAD only\n", 405, { Allow: "GET, HEAD" });
};
