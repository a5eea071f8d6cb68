import { LEAF_LIFE } from "../adapters/pki/issue.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { type Duration, parseDuration, seconds } from "../kit/time.ts";

/** Shorter ones end before they are sent. */
const LIFE_MIN: Duration = seconds(4);

/**
 * How long the certificates live that this node signs. `BALEFIRE_TEST_LEAF_LIFE` shortens it, so that
 * tests need not wait for weeks; it cannot lengthen it, and the journal says that it is set.
 */
export function leafLife(env: Readonly<Record<string, string | undefined>>): Result<Duration> {
  const text = env.BALEFIRE_TEST_LEAF_LIFE;
  if (text === undefined || text === "") return ok(LEAF_LIFE);
  const life = parseDuration(text);
  if (life !== undefined && life >= LIFE_MIN && life <= LEAF_LIFE) return ok(life);
  const message = "BALEFIRE_TEST_LEAF_LIFE is not a duration from 4s to 30d";
  return failure("config-invalid", message, "Unset it: it is for tests only.");
}
