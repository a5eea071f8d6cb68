/** Programs and files that know more than the kernel: asked in the background, so that they hold up no pass. */
import type { Said } from "../core/thermal/said.ts";
import { between, type Duration, type Instant, ms, seconds } from "../kit/time.ts";
import type { ExtraPass, ExtraSensors, Unexpected } from "../ports/sensors.ts";

/** A pass waits this long for them; then their last word counts. */
export const EXTRA_PATIENCE: Duration = ms(100);
/** What has not answered for this long says nothing about now. */
export const EXTRA_SILENCE: Duration = seconds(60);

const SILENT: readonly Said[] = [];

export function unhurried(
  extra: ExtraSensors,
  source: string,
  patience: Duration = EXTRA_PATIENCE,
): ExtraSensors {
  let said: readonly Said[] = SILENT;
  let news: readonly Unexpected[] = [];
  let begun: Instant | undefined;
  let running: Promise<void> | undefined;

  const take = ({ said: latest, unexpected }: ExtraPass): void => {
    said = latest;
    news = [...news, ...unexpected];
    running = undefined;
  };

  return {
    read: async (at) => {
      if (running === undefined) {
        begun = at.now;
        running = extra.read(at).then(take);
      }
      await within(running, patience);
      if (running !== undefined && begun !== undefined && between(begun, at.now) >= EXTRA_SILENCE) {
        if (said.length > 0) news = [...news, { source, what: "does not answer", sample: "" }];
        said = SILENT;
      }
      const unexpected = news;
      news = [];
      return { said, unexpected };
    },
  };
}

async function within(work: Promise<void>, length: Duration): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    work,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, length);
    }),
  ]);
  clearTimeout(timer);
}
