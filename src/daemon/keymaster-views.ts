/** What `keymaster …` says of a roster, in names and words. */
import { rankIn } from "../core/roster.ts";
import { isoTime } from "../kit/time.ts";
import type {
  KeymasterShowReport,
  LostChangeReport,
  SetAsideReport,
  SignerReport,
} from "../wire/keymaster-reports.ts";
import { type ParsedRoster, type Roster, type RosterRevocation, rankOf } from "../wire/roster.ts";
import type { Identity } from "./identity.ts";
import type { SetAside } from "./set-aside.ts";
import type { LostChange } from "./set-aside-changes.ts";

export const nodeName = ({ nodes, revoked }: Roster, id: string): string =>
  nodes.find((node) => node.id === id)?.name ?? revoked.find(({ node }) => node === id)?.name ?? id;

export const openedBy = ({ term, opening }: Roster): "root" | "standby" =>
  term === opening.term ? "root" : "standby";

/** Names of those who may take over. */
export const standbyNames = (roster: Roster): readonly string[] =>
  roster.succession.filter(({ node }) => node !== roster.keymaster).map(({ node }) => nodeName(roster, node));

export function showReport({ seat, keeper, id }: Identity): KeymasterShowReport {
  const current = keeper.current();
  const { roster, signed } = current;
  const signer = (node: string, pin: string): SignerReport => ({
    node: nodeName(roster, node),
    id: node,
    pin,
  });
  return {
    schema: 1,
    ...rankIn(rankOf(current)),
    keymaster: signer(roster.keymaster, signed.signer),
    self: roleOf(roster, id),
    openedBy: openedBy(roster),
    signedAt: roster.issuedAt,
    standbys: roster.succession
      .filter(({ node }) => node !== roster.keymaster)
      .map(({ node, pin }) => signer(node, pin)),
    voided: roster.revoked
      .filter(({ kind }) => kind === "signer")
      .map(({ node, pin, name, at, reason }) => ({ node: name, id: node, pin, at, reason })),
    recovery: roster.recovery !== undefined,
    setAside: (seat.current()?.setAside.list() ?? []).map((each) => setAsideReport(each, current)),
  };
}

function roleOf({ keymaster, succession, nodes }: Roster, id: string): KeymasterShowReport["self"] {
  if (keymaster === id) return "keymaster";
  if (!nodes.some((node) => node.id === id)) return "waiting";
  return succession.some(({ node }) => node === id) ? "standby" : "member";
}

const setAsideReport = ({ id, at, lost, changes }: SetAside, held: ParsedRoster): SetAsideReport => ({
  id,
  ...rankIn(rankOf(lost)),
  signer: {
    node: nodeName(held.roster, lost.roster.keymaster),
    id: lost.roster.keymaster,
    pin: lost.signed.signer,
  },
  signedAt: lost.roster.issuedAt,
  at: isoTime(at),
  changes: changes.map((change) => changeReport(change, held.roster)),
});

export function changeReport(change: LostChange, roster: Roster): LostChangeReport {
  const { nodes, config, recovery } = roster;
  switch (change.what) {
    case "admitted":
      return {
        what: change.what,
        node: change.node.name,
        detail: `at ${change.node.addresses.join(", ")}, ${change.node.added}`,
      };
    case "removed":
      return { what: change.what, node: change.node.name, detail: whenAndWhy(change.revocation) };
    case "signer-voided": {
      const { pin, name } = change.revocation;
      const may = roster.succession.some((successor) => successor.pin === pin);
      return {
        what: change.what,
        node: name,
        detail: `${whenAndWhy(change.revocation)}; here it ${may ? "may sign" : "is not void"}`,
      };
    }
    case "standby-added":
      return { what: change.what, node: change.name, detail: "here it may not sign" };
    case "readdressed": {
      const here = nodes.find(({ id }) => id === change.node.id)?.addresses ?? [];
      return {
        what: change.what,
        node: change.node.name,
        detail: `to ${change.addresses.join(", ")}; here ${here.join(", ")}`,
      };
    }
    case "configured":
      return {
        what: change.what,
        node: null,
        detail: `version ${change.version}; here version ${config.version}`,
      };
    case "resealed":
      return {
        what: change.what,
        node: null,
        detail: recovery === undefined ? "here is no sealed root key" : "here another code holds",
      };
  }
}

const whenAndWhy = ({ at, reason }: RosterRevocation): string => (reason === "" ? at : `${at}: ${reason}`);
