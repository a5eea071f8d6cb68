/** Which member a person means. */
import type { NodeState } from "../core/node.ts";
import { failure, type Result } from "../kit/result.ts";
import { nearest } from "../wire/config-nearest.ts";

/** By name or id. */
export function memberNamed(
  { roster }: NodeState,
  name: string,
): Result<NodeState["roster"]["members"][number]> {
  const found = roster.members.find((member) => member.name === name || member.id === name);
  if (found !== undefined) return { ok: true, value: found };
  const names = roster.members.map((member) => member.name);
  const candidate = nearest(name, names);
  const guess = candidate === undefined ? "" : `Did you mean ${candidate}? `;
  return failure("node-unknown", `no node is named ${name}`, `${guess}There are: ${names.join(", ")}.`);
}
