/** Checks that several scenes share. */
import { subjectNames } from "./driver/message.ts";
import type { MessageState, Stage, Told, VerdictChange } from "./stage.ts";

const list = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));
const titles = (told: readonly Told[]): string => list(told.map(({ message }) => `"${message.title}"`));

/** `a, b and c`, as messages have it. */
export const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

/** Exactly one message of this state since then, about exactly these nodes. */
export function checkOneMessage(
  stage: Stage,
  state: MessageState,
  about: readonly string[],
  sinceMs: number,
): void {
  const found = stage.messages(state, sinceMs);
  const named = found.length === 1 && found[0] !== undefined ? subjectNames(found[0].message) : [];
  stage.check(
    `exactly one message "${state}", about ${list(about)}`,
    found.length === 1 && named.join() === [...about].sort().join(),
    titles(found),
  );
}

export function checkNoMessages(stage: Stage, sinceMs: number, when: string): void {
  const found = stage.told.filter(({ atMs }) => atMs >= sinceMs);
  stage.check(`no message ${when}`, found.length === 0, titles(found));
}

export function checkVerdict(stage: Stage, told: Told, verdict: string, kind: string): void {
  const { message } = told;
  stage.check(
    `it says ${verdict}`,
    message.verdict === verdict && message.kind === kind,
    `${message.kind}, ${message.verdict}`,
  );
}

export function checkTitle(stage: Stage, { message }: Told, title: string | RegExp): void {
  const fits = typeof title === "string" ? message.title === title : title.test(message.title);
  const wanted = typeof title === "string" ? `"${title}"` : `like ${title.source}`;
  stage.check(`its title is ${wanted}`, fits, `"${message.title}"`);
}

/** `what`: what the words that `pattern` finds are about. */
export function checkText(stage: Stage, { message }: Told, what: string, pattern: RegExp): void {
  stage.check(`its text says ${what}`, pattern.test(message.text), message.text);
}

/** Who tells, and how many it hears. */
export function checkViewpoint(
  stage: Stage,
  { message }: Told,
  nodes: readonly string[],
  alive: number,
): void {
  const { node, alive: seen, of } = message.viewpoint;
  stage.check(
    `seen by ${nodes.join(" or ")}, with ${alive} of ${stage.names.length} alive`,
    nodes.includes(node) && seen === alive && of === stage.names.length,
    `${node}, ${seen} of ${of}`,
  );
}

/** Not a single verdict that somebody is down, by anybody. */
export function checkNobodyDown(stage: Stage, sinceMs = 0): void {
  const found = stage
    .downVerdicts(({ atMs }) => atMs < sinceMs)
    .map(({ observer, subject, to }) => `${observer}: ${subject} ${to}`);
  stage.check("nobody held anybody down", found.length === 0, list(found));
}

/** A node that hears nobody knows that it is cut off, and holds no incident of its own making. */
export async function checkClaimsNothing(stage: Stage, name: string): Promise<void> {
  const daemon = stage.mesh.daemon(name);
  const [{ isolated }, { incidents }] = await Promise.all([
    daemon.status(),
    daemon.control.call("incidents", {}),
  ]);
  stage.check(`${name} knows that it is cut off`, isolated, `isolated: ${isolated}`);
  const claims = incidents.filter(({ state }) => state === "open");
  stage.check(
    "and claims nothing",
    claims.length === 0,
    list(claims.map(({ kind, name: of }) => `${kind} ${of}`)),
  );
}

/** In a larger mesh ten nodes watch each host; */
const WATCHED_BY_ALL_MAX = 12;
/** so many of these, at least, have answered by the time the message is sent. */
const EVIDENCE_LEAST = 8;

/** Every one of these observers' evidence is in the message, and nobody else's. */
export function checkEvidence(stage: Stage, told: Told, observers: readonly string[]): void {
  const found = [...new Set(told.message.evidence.map((line) => line.observer))].sort();
  if (observers.length >= WATCHED_BY_ALL_MAX) {
    const isFromThem = found.every((name) => observers.includes(name));
    const what = `with evidence from ${EVIDENCE_LEAST} or more who watch it`;
    stage.check(what, isFromThem && found.length >= EVIDENCE_LEAST, `found: ${list(found)}`);
    return;
  }
  stage.check(
    `with evidence from ${list(observers)}`,
    found.join() === [...observers].sort().join(),
    list(found),
  );
}

/**
 * Nobody was held down but the true victims, and the victims (who hear nobody) held nobody down, unless `inTurn`:
 * then each of them saw those fall who are named before it.
 */
export function checkNoFalseVerdicts(stage: Stage, victims: readonly string[], inTurn = false): void {
  const place = (name: string): number => victims.indexOf(name);
  const expected = ({ subject, observer }: VerdictChange): boolean =>
    place(subject) >= 0 && (place(observer) < 0 || (inTurn && place(observer) > place(subject)));
  const found = stage
    .downVerdicts(expected)
    .map((change) => `${change.observer} held ${change.subject} ${change.to}`);
  stage.check("no false verdict", found.length === 0, list(found));
}
