/** Records on, prints the number of the last batch once it is on the disk, and goes on until it is killed. */
import { createHistory } from "../../src/adapters/history/history.ts";
import { countingBatch } from "./history-counting.ts";

/** Hours close every few flushes: there the downsampling is. */
const BATCHES_A_FLUSH = 90;

const [path = "", from = "0"] = process.argv.slice(2);
const history = createHistory({
  path,
  trouble: ({ message }) => {
    throw new Error(message);
  },
});
for (let number = Number(from); ; number += 1) {
  history.append(countingBatch(number));
  if (number % BATCHES_A_FLUSH !== 0) continue;
  const flushed = await history.flush();
  if (flushed.ok) process.stdout.write(`${number}\n`);
}
