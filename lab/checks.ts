/** Checks that several scenes share. */
import { subjectNames } from "./driver/message.ts";
import type { Stage, Told, VerdictChange } from "./stage.ts";

const list = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));
const titles = (told: readonly Told[]): string => list(told.map(({ message }) => `"${message.title}"`));

/** Exactly one message of this state since then, about exactly these nodes. */
export function checkOneMessage(
  stage: Stage,
  state: "open" | "resolved",
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

/** Every one of these observers' evidence is in the message, and nobody else's. */
export function checkEvidence(stage: Stage, told: Told, observers: readonly string[]): void {
  const found = [...new Set(told.message.evidence.map((line) => line.observer))].sort();
  stage.check(
    `with evidence from ${list(observers)}`,
    found.join() === [...observers].sort().join(),
    list(found),
  );
}

/** Nobody was held down but the true victims, and the victims (who hear nobody) held nobody down. */
export function checkNoFalseVerdicts(stage: Stage, victims: readonly string[]): void {
  const expected = (change: VerdictChange): boolean =>
    victims.includes(change.subject) && !victims.includes(change.observer);
  const found = stage
    .downVerdicts(expected)
    .map((change) => `${change.observer} held ${change.subject} ${change.to}`);
  stage.check("no false verdict", found.length === 0, list(found));
}
