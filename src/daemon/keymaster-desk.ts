/** What the command line asks about who signs, and what it asks to be changed. */
import type { NodeState } from "../core/node.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import type { WallTime } from "../kit/time.ts";
import type { KeymasterChangeReport, KeymasterResults, StandbyReport } from "../wire/keymaster-reports.ts";
import { encodeSigned, type ParsedRoster, type Roster, rankOf } from "../wire/roster.ts";
import type { RpcHandlers } from "../wire/rpc.ts";
import type { Identity } from "./identity.ts";
import { spread } from "./key-desk.ts";
import type { Keymaster } from "./keymaster.ts";
import { changeReport, nodeName, openedBy, showReport, standbyNames } from "./keymaster-views.ts";
import { findNode } from "./membership.ts";
import type { Questions } from "./questions.ts";
import type { Renewal } from "./renewal.ts";
import { openRootKey, type RootQuestion } from "./root-key.ts";
import { Serial } from "./serial.ts";
import { confirmed, dropped, type LeftChange, type LostChange } from "./set-aside-changes.ts";
import { orThrow } from "./shared-config.ts";
import { askForSigningKey, askToTakeOver } from "./standby-questions.ts";
import { addStandby, promoteByRoot, promoteStandby, removeStandby, standbyNamed } from "./takeover.ts";

export interface KeymasterDeskOptions {
  readonly identity: Identity;
  readonly questions: Questions;
  readonly state: () => NodeState;
  readonly wall: () => WallTime;
  readonly renewal: Pick<Renewal, "renew">;
  /** Who signs, and since when, belongs in the journal. */
  readonly log: (line: string) => void;
  /** The node that signs, or a FailureError that names it. */
  readonly requireKeymaster: () => Keymaster;
}

type KeymasterHandlers = Pick<RpcHandlers, keyof KeymasterResults>;

export function createKeymasterDesk(options: KeymasterDeskOptions): KeymasterHandlers {
  const { identity, questions, wall, log } = options;
  const current = (): ParsedRoster => identity.keeper.current();
  const roster = (): Roster => current().roster;
  /** Two commands at once would each see the other's half. */
  const serial = new Serial();
  const inTurn = <T>(operation: () => Promise<Result<T>>): Promise<T> =>
    serial.run(async () => orThrow(await operation()));

  const changed = async (before: Roster): Promise<KeymasterChangeReport> => {
    const after = current();
    const known = new Set(before.revoked.map(({ pin }) => pin));
    log(
      `${nodeName(after.roster, after.roster.keymaster)} is the keymaster, since term ${after.roster.term}`,
    );
    // Hosts that join now check it by its own certificate, which has to be by its own key.
    if (identity.seat.current() !== undefined) await options.renewal.renew();
    return {
      schema: 1,
      keymaster: nodeName(after.roster, after.roster.keymaster),
      before: nodeName(before, before.keymaster),
      openedBy: openedBy(after.roster),
      standbys: standbyNames(after.roster),
      voided: after.roster.revoked
        .filter(({ kind, pin }) => kind === "signer" && !known.has(pin))
        .map(({ name }) => name),
      ...(await spread(options, rankOf(after))),
    };
  };

  const promote = async (given: Omit<RootQuestion, "roster" | "code"> & { code?: string | undefined }) => {
    const before = roster();
    const { code, recovery } = given;
    if (code === undefined) {
      const promoted = await promoteStandby(identity, wall());
      return promoted.ok ? ok(await changed(before)) : promoted;
    }
    const root = await openRootKey({ roster: before, code, recovery });
    if (!root.ok) return root;
    const promoted = await promoteByRoot(identity, root.value, wall());
    return promoted.ok ? ok(await changed(before)) : promoted;
  };

  const move = async (named: string): Promise<Result<KeymasterChangeReport>> => {
    const keymaster = options.requireKeymaster();
    const before = roster();
    const standby = standbyNamed(before, named);
    if (!standby.ok) return standby;
    const node = { id: standby.value.node, name: nodeName(before, standby.value.node) };
    // Whatever was renewed goes along, and nothing is signed here that the next term does not build on.
    const entered = await keymaster.publishRenewals();
    if (!entered.ok) return entered;
    const moved = await keymaster.while(async () => {
      const answer = await askToTakeOver(questions, node, current().hash);
      return answer.ok ? identity.keeper.consider(encodeSigned(answer.value)) : answer;
    });
    return moved.ok ? ok(await changed(before)) : moved;
  };

  const standbyReport = async (id: string, isChanged: boolean): Promise<StandbyReport> => ({
    schema: 1,
    node: nodeName(roster(), id),
    changed: isChanged,
    standbys: standbyNames(roster()),
    ...(await spread(options, rankOf(current()))),
  });

  const add = async (
    named: string,
    question: Omit<RootQuestion, "roster">,
  ): Promise<Result<StandbyReport>> => {
    const keymaster = options.requireKeymaster();
    const node = findNode(roster(), named);
    if (!node.ok) return node;
    const { id, name } = node.value;
    if (roster().succession.some((successor) => successor.node === id)) {
      const remedy = "`balefire keymaster show` says who may take over.";
      if (id === identity.id) return failure("usage", `${name} is the keymaster already`, remedy);
      return ok(await standbyReport(id, false));
    }
    const root = await openRootKey({ roster: roster(), ...question });
    if (!root.ok) return root;
    const csr = await askForSigningKey(questions, { id, name });
    if (!csr.ok) return csr;
    const added = await addStandby(keymaster, id, csr.value, root.value, wall());
    if (!added.ok) return added;
    log(`${name} may take over as keymaster from now on`);
    return ok(await standbyReport(id, true));
  };

  const remove = async (named: string): Promise<Result<StandbyReport>> => {
    const keymaster = options.requireKeymaster();
    const before = roster();
    const standby = standbyNamed(before, named);
    if (!standby.ok) return standby;
    const removed = await removeStandby(keymaster, named, wall());
    if (!removed.ok) return removed;
    log(`${nodeName(before, standby.value.node)} may no longer take over`);
    return ok(await standbyReport(standby.value.node, true));
  };

  const settle = async (id: string, done: "confirmed" | "dropped") => {
    const keymaster = options.requireKeymaster();
    const found = keymaster.setAside.find(id);
    if (!found.ok) return found;
    const before = roster();
    const { changes } = found.value;
    let left: readonly LeftChange[] = [];
    const published = await keymaster.publish((held) => {
      if (done === "dropped") return ok(dropped(held, changes, wall()));
      const made = confirmed(held, changes, wall());
      left = made.left;
      return ok(made.changes);
    });
    if (!published.ok) return published;
    const settled = await keymaster.setAside.settle(found.value);
    if (!settled.ok) return settled;
    log(`what ${nodeName(before, found.value.lost.roster.keymaster)} had signed is ${done}: ${id}`);
    const reported = (change: LostChange) => changeReport(change, before);
    return ok({
      schema: 1 as const,
      id,
      done,
      changes: changes.filter((change) => !left.some((each) => each.change === change)).map(reported),
      left: left.map(({ change, why }) => ({ ...reported(change), why })),
      ...(await spread(options, rankOf(published.value))),
    });
  };

  return {
    "keymaster-show": async () => showReport(identity),
    "keymaster-promote": (given) => inTurn(() => promote(given)),
    "keymaster-move": ({ node }) => inTurn(() => move(node)),
    "standby-add": ({ node, ...question }) => inTurn(() => add(node, question)),
    "standby-remove": ({ node }) => inTurn(() => remove(node)),
    "keymaster-confirm": ({ id }) => inTurn(() => settle(id, "confirmed")),
    "keymaster-drop": ({ id }) => inTurn(() => settle(id, "dropped")),
  };
}
