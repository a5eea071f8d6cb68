/**
 * The receiver in a process of its own, so that it can live in another network namespace.
 * Argument: the address to listen on. Prints `{url}`, then `{delivery}` for each call;
 * reads `{answer}` and confirms with `{answering}`; ends with its standard input.
 */
import { createInterface } from "node:readline";
import { type Answering, openReceiver } from "./receiver.ts";

const print = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const receiver = await openReceiver(process.argv[2] ?? "127.0.0.1");
// The first call takes its time, which is not the caller's: whoever is measured is not the first.
await fetch(receiver.url, { method: "POST", body: "{}" });
receiver.listen((delivery) => print({ delivery }));
print({ url: receiver.url });

for await (const line of createInterface({ input: process.stdin })) {
  const { answer } = JSON.parse(line) as { answer: Answering };
  await receiver.answer(answer);
  print({ answering: answer });
}
await receiver.close();
