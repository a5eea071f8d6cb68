/** Maintenances and silences: what the command line may set and lift. Any node can be asked; the ledger carries it to all. */
import { randomBytes } from "node:crypto";
import type { MuteRequest, SingleInput } from "../core/io.ts";
import { mutesInForce } from "../core/ledger.ts";
import type { MuteRecord } from "../core/ledger-records.ts";
import { MUTES_MAX } from "../core/limits.ts";
import { maintenanceId } from "../core/mutes.ts";
import type { NodeState } from "../core/node.ts";
import { meshView } from "../core/view-of.ts";
import { failure } from "../kit/result.ts";
import type { WallTime } from "../kit/time.ts";
import { oneLine } from "../wire/peer-records.ts";
import type { RpcHandlers } from "../wire/rpc.ts";
import { currentEnv, meshNow } from "./clock.ts";
import { parseMatcher } from "./matcher.ts";
import { memberNamed } from "./member-named.ts";
import { maintenanceReport, silenceReport } from "./reports.ts";
import { orThrow } from "./shared-config.ts";

export interface MuteDeskOptions {
  readonly state: () => NodeState;
  readonly push: (input: SingleInput) => void;
}

type MuteMethod = Extract<keyof RpcHandlers, `maintenance-${string}` | `silence-${string}`>;

/** What a person says about a mute, besides what it is about. */
interface Wish {
  readonly forMs?: number | undefined;
  readonly why: string;
  readonly user: string;
}

/** Short enough to be typed, and there are few. */
const SILENCE_ID_BYTES = 4;

export function createMuteDesk({ state, push }: MuteDeskOptions): Pick<RpcHandlers, MuteMethod> {
  const view = () => meshView(state(), currentEnv());
  const held = (mute: string): MuteRecord | undefined => state().ledger.mutes.get(mute);
  const inForce = (mute: string, wall: WallTime): MuteRecord | undefined =>
    mutesInForce(state().ledger, wall).find((record) => record.mute === mute);

  /** In force here, and on its way to the disk and to all others, when this returns. */
  const set = (request: MuteRequest, wall: WallTime): void => {
    const { size } = state().ledger.mutes;
    if (!request.ended && held(request.mute) === undefined && size >= MUTES_MAX)
      orThrow(
        failure("limit-reached", `there are ${size} maintenances and silences already`, "Remove some."),
      );
    push({ type: "mute", request });
    const taken = request.ended
      ? held(request.mute) === undefined
      : inForce(request.mute, wall) !== undefined;
    if (!taken)
      orThrow(failure("limit-reached", "this node has too much to do to take it in", undefined, true));
  };

  const member = (name: string) => orThrow(memberNamed(state(), name));
  const signed = (user: string): string => `${oneLine(user)}@${view().selfName}`;
  const wished = ({ forMs, why, user }: Wish, wall: WallTime) => ({
    by: signed(user),
    why: oneLine(why),
    ...(forMs === undefined ? {} : { until: (wall + forMs) as WallTime }),
  });

  return {
    "maintenance-on": async ({ node: name, ...wish }) => {
      const wall = meshNow(state());
      const { id } = member(name);
      const mute = maintenanceId(id);
      const renewed = inForce(mute, wall) !== undefined;
      const purpose = "maintenance" as const;
      set({ mute, purpose, matcher: {}, subject: id, ended: false, ...wished(wish, wall) }, wall);
      const node = view().nodes.find((each) => each.id === id);
      if (node?.maintenance === undefined) throw new Error("invariant broken: it was just set");
      return {
        schema: 1,
        renewed,
        maintenance: maintenanceReport({ ...node, maintenance: node.maintenance }),
      };
    },
    "maintenance-off": async ({ node: name, user }) => {
      const wall = meshNow(state());
      const { id, name: known } = member(name);
      const record = inForce(maintenanceId(id), wall);
      if (record !== undefined) set(lifted(record, signed(user)), wall);
      return { schema: 1, node: id, name: known, ended: record !== undefined };
    },
    "maintenance-list": async () => ({
      schema: 1,
      maintenances: view().nodes.flatMap(({ maintenance, ...node }) =>
        maintenance === undefined ? [] : [maintenanceReport({ ...node, maintenance })],
      ),
    }),
    "silence-add": async ({ matcher: text, ...wish }) => {
      const wall = meshNow(state());
      const names = state().roster.members.map(({ name }) => name);
      const matcher = orThrow(parseMatcher(text, names));
      const mute = randomBytes(SILENCE_ID_BYTES).toString("hex");
      set({ mute, purpose: "silence", matcher, ended: false, ...wished(wish, wall) }, wall);
      const silence = view().silences.find(({ id }) => id === mute);
      if (silence === undefined) throw new Error("invariant broken: it was just set");
      return { schema: 1, silence: silenceReport(silence) };
    },
    "silence-list": async () => ({ schema: 1, silences: view().silences.map(silenceReport) }),
    "silence-remove": async ({ id, user }) => {
      const wall = meshNow(state());
      const known = state().ledger.records.get(`s/${id}`);
      if (known?.t !== "mute" || known.purpose !== "silence") {
        const ids = view().silences.map((silence) => silence.id);
        const remedy = ids.length === 0 ? "There is none." : `There are: ${ids.join(", ")}.`;
        return orThrow(failure("silence-unknown", `no silence has the id ${id}`, remedy));
      }
      const record = inForce(id, wall);
      if (record !== undefined) set(lifted(record, signed(user)), wall);
      return { schema: 1, id, removed: record !== undefined };
    },
  };
}

/** The same, ended by someone before its time. */
function lifted(record: MuteRecord, by: string): MuteRequest {
  const { t: _, revision: __, at: ___, ...rest } = record;
  return { ...rest, by, ended: true };
}
