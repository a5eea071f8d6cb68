import { randomBytes } from "node:crypto";
import { signProof, tokenPublicKey, tokenSigningKey, verifyProof } from "../adapters/pki/token-key.ts";
import type { StateFolder } from "../adapters/state/folder.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { civilTime, type Duration, days, formatDuration, type WallTime } from "../kit/time.ts";
import { TOKEN_SECRET_BYTES } from "../wire/token.ts";
import { TOKENS_FILE, TOKENS_MAX, type TokenRecord } from "./state-files.ts";

export type TokenState = "open" | "used" | "expired" | "revoked";

/** Longer ones would outlive everybody's memory of having made them. */
const LIFE_MAX: Duration = days(30);
/** How long the key that used a token may finish what a crash interrupted. */
const RESUME_FOR: Duration = days(1);
const TOKEN_ID_BYTES = 8;

export const tokenState = (record: TokenRecord, now: WallTime): TokenState => {
  if (record.revoked) return "revoked";
  if (record.used !== null) return "used";
  return record.expires <= now ? "expired" : "open";
};

/** The keymaster's join tokens, in `tokens.json`. Callers serialize the changes. */
export class TokenBook {
  readonly #folder: StateFolder;
  #records: readonly TokenRecord[];

  private constructor(folder: StateFolder, records: readonly TokenRecord[]) {
    this.#folder = folder;
    this.#records = records;
  }

  static async load(folder: StateFolder): Promise<Result<TokenBook>> {
    const file = await folder.readJson(TOKENS_FILE);
    return file.ok ? ok(new TokenBook(folder, file.value?.tokens ?? [])) : file;
  }

  list(): readonly TokenRecord[] {
    return this.#records;
  }

  find(id: string): TokenRecord | undefined {
    return this.#records.find((record) => record.id === id);
  }

  /** The secret leaves here once, for the token's line; the book keeps its public half. */
  async create(
    name: string,
    life: number,
    now: WallTime,
  ): Promise<Result<{ record: TokenRecord; secret: Uint8Array }>> {
    if (!(life > 0 && life <= LIFE_MAX)) {
      return failure(
        "usage",
        `a join token lives at most ${formatDuration(LIFE_MAX)}`,
        "Pass a shorter --expires, such as 1h.",
      );
    }
    const kept = this.#withRoom(now);
    if (kept === undefined) {
      return failure(
        "limit-reached",
        `there are ${TOKENS_MAX} open join tokens`,
        "Revoke those you don't need.",
      );
    }
    const id = randomBytes(TOKEN_ID_BYTES).toString("hex");
    const secret = randomBytes(TOKEN_SECRET_BYTES);
    const publicKey = tokenPublicKey(tokenSigningKey(secret, id));
    const record = {
      id,
      name,
      publicKey,
      created: now,
      expires: Math.floor(now + life),
      revoked: false,
      used: null,
    };
    const written = await this.#replace([...kept, record]);
    return written.ok ? ok({ record, secret }) : written;
  }

  /** Fails with `token-unknown`. Revoking a used token also ends its holder's way to finish an interrupted join. */
  async revoke(id: string): Promise<Result<TokenRecord>> {
    const record = this.find(id);
    if (record === undefined)
      return failure("token-unknown", `no join token ${id}`, "See `balefire token list`.");
    const revoked = { ...record, revoked: true };
    const written = await this.#replace(this.#records.map((each) => (each === record ? revoked : each)));
    return written.ok ? ok(revoked) : written;
  }

  /** Gives how many were open. */
  async revokeOpen(now: WallTime): Promise<Result<number>> {
    const open = new Set(this.#records.filter((record) => tokenState(record, now) === "open"));
    if (open.size === 0) return ok(0);
    const written = await this.#replace(
      this.#records.map((each) => (open.has(each) ? { ...each, revoked: true } : each)),
    );
    return written.ok ? ok(open.size) : written;
  }

  /** On disk when it resolves to ok: from then on no other key can use the token. */
  async consume(id: string, used: NonNullable<TokenRecord["used"]>): Promise<Result<void>> {
    return this.#replace(this.#records.map((each) => (each.id === id ? { ...each, used } : each)));
  }

  async #replace(records: readonly TokenRecord[]): Promise<Result<void>> {
    const written = await this.#folder.writeJson(TOKENS_FILE, { tokens: records });
    if (written.ok) this.#records = records;
    return written;
  }

  /** Room for one more: the oldest that can no longer be used go first. */
  #withRoom(now: WallTime): readonly TokenRecord[] | undefined {
    if (this.#records.length < TOKENS_MAX) return this.#records;
    const spent = this.#records.find((record) => tokenState(record, now) !== "open");
    return spent === undefined ? undefined : this.#records.filter((record) => record !== spent);
  }
}

/** Whether the request was made with the token it names. Comes first, so that only who has the secret learns more. */
export function provenToken(
  record: TokenRecord | undefined,
  proofText: string,
  proof: string,
): Result<TokenRecord> {
  if (record === undefined) {
    const message = "the keymaster does not know this join token";
    return failure("token-unknown", message, "Make a new one with `balefire token create`.");
  }
  if (verifyProof(record.publicKey, proofText, proof)) return ok(record);
  return failure("token-invalid", "the request was not made with the join token it names");
}

/** Whether this name, with this key, may join by this token now. */
export function judgeToken(
  record: TokenRecord,
  claim: { readonly name: string; readonly pin: string },
  now: WallTime,
): Result<void> {
  const remedy = `Make a new one on the keymaster: \`balefire token create ${record.name}\`.`;
  if (record.name !== claim.name) {
    const message = `the join token is for ${record.name}, not for ${claim.name}`;
    return failure("token-invalid", message, `Make one for ${claim.name}.`);
  }
  if (record.revoked) return failure("token-invalid", "the join token has been revoked", remedy);
  if (record.used !== null) {
    const resumes = record.used.pin === claim.pin && now <= record.used.at + RESUME_FOR;
    return resumes ? ok(undefined) : failure("token-used", "the join token has been used already", remedy);
  }
  if (record.expires > now) return ok(undefined);
  // By whose clock: where that one is wrong, a new token alone is no help.
  const past = formatDuration((now - record.expires) as Duration);
  const message = `the join token has expired: ${past} ago by the keymaster's clock, which says ${civilTime(now)}`;
  return failure("token-expired", message, remedy);
}

/** The joiner's half: signs the proof with the token's secret. */
export const proveToken = (secret: Uint8Array, tokenId: string, proofText: string): string =>
  signProof(tokenSigningKey(secret, tokenId), proofText);
