/** Join tokens as a person makes and sees them. */
import { failure, ok, type Result } from "../kit/result.ts";
import { type WallTime, wallTime } from "../kit/time.ts";
import { nodeNameText, type Roster } from "../wire/roster.ts";
import { encodeToken } from "../wire/token.ts";
import type { TokenRecord } from "./state-files.ts";
import { type TokenBook, type TokenState, tokenState } from "./tokens.ts";

export interface CreatedToken {
  /** The one line for the new host; holds the secret. */
  readonly token: string;
  readonly id: string;
  readonly name: string;
  readonly expires: WallTime;
}
export interface ListedToken {
  readonly id: string;
  readonly name: string;
  readonly created: WallTime;
  readonly expires: WallTime;
  readonly state: TokenState;
}
export interface TokenWish {
  readonly name: string;
  /** In milliseconds. */
  readonly life: number;
  readonly roster: Roster;
  /** The keymaster's id, and the pin of its TLS key: what joiners will see. */
  readonly self: { readonly mesh: string; readonly id: string; readonly pin: string };
  readonly now: WallTime;
}

/** Fails with `name-taken`, `usage` or `limit-reached`. */
export async function createToken(tokens: TokenBook, wish: TokenWish): Promise<Result<CreatedToken>> {
  const { name, life, roster, self, now } = wish;
  const valid = nodeNameText.safeParse(name);
  if (!valid.success) return failure("usage", `${name.slice(0, 64)}: ${valid.error.issues[0]?.message}`);
  if (roster.nodes.some((node) => node.name === name)) {
    return failure(
      "name-taken",
      `the mesh has a node ${name} already`,
      `Choose another name, or remove it first: \`balefire node remove ${name}\`.`,
    );
  }
  const made = await tokens.create(name, life, now);
  if (!made.ok) return made;
  const { record, secret } = made.value;
  const token = encodeToken({
    mesh: self.mesh,
    root: roster.roots[0]?.pin ?? "",
    keymaster: self.pin,
    addresses: roster.nodes.find((node) => node.id === self.id)?.addresses ?? [],
    id: record.id,
    secret,
    name,
    expires: wallTime(record.expires),
  });
  return ok({ token, id: record.id, name, expires: wallTime(record.expires) });
}

export const listedToken = (record: TokenRecord, now: WallTime): ListedToken => ({
  id: record.id,
  name: record.name,
  created: wallTime(record.created),
  expires: wallTime(record.expires),
  state: tokenState(record, now),
});
