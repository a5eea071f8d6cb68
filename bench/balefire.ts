import { FROM_BUNDLE } from "../lab/driver/checkout.ts";
import { runOrThrow } from "../lab/driver/child.ts";
import { sleep, until } from "../lab/driver/clock.ts";
import { Mesh } from "../lab/driver/mesh.ts";
import { messageIn, subjectNames } from "../lab/driver/message.ts";
import { namespaceNetwork } from "../lab/driver/namespaces.ts";
import type { Enter } from "./contestant.ts";

const HEAL_MS_MAX = 60_000;
/** A message that is late still arrives within this; it would be counted as a duplicate or as false. */
const AFTERMATH_MS = 300;
/** A verdict that has not come by then has not come. */
const VERDICT_MS_MAX = 10_000;

export const enterBalefire: Enter = async (size, progress) => {
  const { version } = JSON.parse(
    await runOrThrow([...FROM_BUNDLE, "version", "--json"], { timeoutMs: 10_000 }),
  );
  const network = namespaceNetwork(size);
  const names = Array.from({ length: size }, (_, place) => `pve${place + 1}`);
  const mesh = await Mesh.form({ names, network, balefire: FROM_BUNDLE, policy: { flap: "off" }, progress });
  return {
    name: "balefire",
    version,
    network,
    receiver: mesh.receiver,
    names,
    pids: mesh.daemons.map((daemon) => daemon.pid),
    claims: (delivery) => {
      const message = messageIn(delivery);
      return message?.state === "open" ? subjectNames(message) : [];
    },
    kill: (victim) => killed(mesh, victim),
    healed: async () => {
      await mesh.settled(HEAL_MS_MAX);
      await sleep(AFTERMATH_MS);
    },
    close: () => mesh.close(),
  };
};

async function killed(mesh: Mesh, victim: string): Promise<number | null> {
  const { id } = mesh.daemon(victim);
  const from = mesh.notices.length;
  const killedMs = await mesh.perform("kill", victim);
  const verdict = await until(
    `a verdict on ${victim}`,
    VERDICT_MS_MAX,
    () =>
      mesh.notices
        .slice(from)
        .find(({ event }) => event.event === "verdict" && event.subject === id && event.to === "daemon-down"),
    5,
  ).catch(() => undefined);
  await mesh.perform("revive", victim);
  await mesh.settled(HEAL_MS_MAX);
  return verdict === undefined ? null : Math.round((verdict.atMs - killedMs) * 10) / 10;
}
