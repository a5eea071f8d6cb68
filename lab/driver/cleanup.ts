/**
 * What must not be left behind however this process ends: daemons, namespaces, folders.
 * The steps are synchronous because they also run in the `exit` handler.
 */
const steps: (() => void)[] = [];
let armed = false;

const SIGNALS: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

function abandonAll(): void {
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    try {
      step();
    } catch (error) {
      process.stderr.write(`clean-up: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

function arm(): void {
  if (armed) return;
  armed = true;
  process.on("exit", abandonAll);
  for (const [signal, code] of Object.entries(SIGNALS)) process.on(signal, () => process.exit(code));
}

/** Registers a step for the end of the process, last one first; the returned function runs it now instead. */
export function atEnd(step: () => void): () => void {
  arm();
  steps.push(step);
  return () => {
    const index = steps.indexOf(step);
    if (index < 0) return;
    steps.splice(index, 1);
    step();
  };
}
