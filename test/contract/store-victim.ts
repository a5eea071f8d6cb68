/** Counts in a store, prints each number once it is acknowledged, and goes on until it is killed. */
import { createStore } from "../../src/adapters/store/sqlite-store.ts";
import { countingCommit } from "./store-counting.ts";

const [path = "", from = "0"] = process.argv.slice(2);
const store = await createStore({ path });
for (let number = Number(from) + 1; ; number += 1) {
  await store.commit(countingCommit(number));
  process.stdout.write(`${number}\n`);
}
