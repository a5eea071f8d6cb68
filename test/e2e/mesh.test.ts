/** Real daemons on loopback, driven only through the command line, the control socket and signals. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { FROM_SOURCE } from "../../lab/driver/checkout.ts";
import { machineMs, sleep, until } from "../../lab/driver/clock.ts";
import { Mesh } from "../../lab/driver/mesh.ts";
import { messageIn, tells } from "../../lab/driver/message.ts";
import { loopbackNetwork } from "../../lab/driver/network.ts";

const PORT = 17_654;
const TOLD_MS_MAX = 20_000;
/** A pair speaks over its connection until a datagram has come back. */
const PATH_MS_MAX = 5_000;
let mesh: Mesh;

beforeEach(async () => {
  const names = ["a", "b", "c"];
  mesh = await Mesh.form({
    names,
    network: loopbackNetwork(),
    balefire: FROM_SOURCE,
    port: PORT,
    policy: { daemonDown: { grace: "0s" } },
    channelTimeout: "4s",
  });
});
afterEach(() => mesh.close());

test("all nodes hold one roster and see each other alive over datagrams", async () => {
  const reports = await mesh.settled();
  expect(new Set(reports.map((report) => `${report.mesh} ${report.term} ${report.epoch}`)).size).toBe(1);
  expect(new Set(reports.map((report) => report.keymaster))).toEqual(new Set([mesh.daemon("a").id]));
  for (const report of reports) expect(report.nodes.map((node) => node.name).sort()).toEqual(["a", "b", "c"]);
  const paths = await until("datagrams to pass on every pair", PATH_MS_MAX, async () => {
    const seen = (await mesh.settled()).flatMap(({ nodes, self }) =>
      nodes.filter((node) => node.id !== self),
    );
    return seen.every((node) => node.path === "datagram") ? seen.length : undefined;
  });
  expect(paths).toBe(6);
});

test("a receiver that refuses at first is told in the end, under the same id", async () => {
  await mesh.receiver.answer("refuse");
  await mesh.perform("kill", "c");
  const refused = await mesh.delivery("a first attempt", TOLD_MS_MAX, (delivery) =>
    tells(delivery, "open", "c"),
  );
  await mesh.receiver.answer("accept");
  const accepted = await mesh.delivery(
    "an attempt that is accepted",
    TOLD_MS_MAX,
    (delivery) => delivery.answered === "accept" && tells(delivery, "open", "c"),
  );
  expect(messageIn(accepted)?.id).toBe(messageIn(refused)?.id);
});

test("a receiver that hangs delays the message and does not swallow it", async () => {
  await mesh.receiver.answer("hang");
  await mesh.perform("kill", "c");
  await mesh.delivery("an attempt that hangs", TOLD_MS_MAX, (delivery) => tells(delivery, "open", "c"));
  await mesh.receiver.answer("accept");
  await mesh.delivery(
    "an attempt that is accepted",
    2 * TOLD_MS_MAX,
    (delivery) => delivery.answered === "accept" && tells(delivery, "open", "c"),
  );
});

test("an incident that nobody could be told of survives the death of every daemon", async () => {
  await mesh.receiver.answer("refuse");
  await mesh.perform("kill", "c");
  await mesh.delivery("a first attempt", TOLD_MS_MAX, (delivery) => tells(delivery, "open", "c"));
  await mesh.perform("kill", "a");
  await mesh.perform("kill", "b");
  await mesh.receiver.answer("accept");
  const from = mesh.receiver.deliveries.length;
  await mesh.perform("revive", "a");
  await mesh.perform("revive", "b");
  await mesh.delivery(
    "the message after the restart",
    2 * TOLD_MS_MAX,
    (delivery) => tells(delivery, "open", "c"),
    from,
  );
});

test("who kills the teller before it has told hears it from the next", async () => {
  await mesh.receiver.answer("hang");
  await mesh.perform("kill", "c");
  const first = await mesh.delivery("an attempt that hangs", TOLD_MS_MAX, (delivery) =>
    tells(delivery, "open", "c"),
  );
  const teller = messageIn(first)?.viewpoint.node ?? "";
  await mesh.receiver.answer("accept");
  const killedMs = machineMs();
  await mesh.perform("kill", teller);
  const next = await mesh.delivery(
    "the message from the other",
    TOLD_MS_MAX,
    (delivery) => delivery.answered === "accept" && tells(delivery, "open", "c"),
  );
  expect(messageIn(next)?.viewpoint.node).not.toBe(teller);
  expect(next.atMs - killedMs).toBeLessThan(TOLD_MS_MAX);
});

test("one death is one message, though two observers saw it", async () => {
  await mesh.perform("kill", "c");
  await mesh.delivery("the message", TOLD_MS_MAX, (delivery) => tells(delivery, "open", "c"));
  await sleep(2_000);
  expect(mesh.receiver.deliveries.filter((delivery) => tells(delivery, "open", "c"))).toHaveLength(1);
});
