/** What `token …` prints, from what the keymaster says: the same through the daemon and without one. */
import { isoTime, type WallTime } from "../kit/time.ts";
import type { TokenCreateReport, TokenListReport, TokenRevokeReport } from "./rpc.ts";

type TokenState = TokenListReport["tokens"][number]["state"];

export const tokenCreateReport = (created: {
  readonly token: string;
  readonly id: string;
  readonly name: string;
  readonly expires: WallTime;
}): TokenCreateReport => ({
  schema: 1,
  token: created.token,
  id: created.id,
  name: created.name,
  expires: isoTime(created.expires),
});

export const tokenListReport = (
  tokens: readonly {
    readonly id: string;
    readonly name: string;
    readonly created: WallTime;
    readonly expires: WallTime;
    readonly state: TokenState;
  }[],
): TokenListReport => ({
  schema: 1,
  tokens: tokens.map(({ id, name, created, expires, state }) => ({
    id,
    name,
    created: isoTime(created),
    expires: isoTime(expires),
    state,
  })),
});

/** A used or expired token stays what it is: revoking it changes nothing. */
export const tokenRevokeReport = (token: {
  readonly id: string;
  readonly state: TokenState;
}): TokenRevokeReport => ({ schema: 1, id: token.id, revoked: token.state === "revoked" });
