/** A machine without a mind: it writes down what it is told and does what the test says. For tests of the engine itself. */
import type { Birth, Effect, SingleInput } from "../../src/core/io.ts";
import type { NodeId } from "../../src/core/types.ts";
import type { Machine } from "./machine.ts";
import { hostNames, idOf, World } from "./world.ts";

export interface Puppet {
  readonly birth: Birth;
  readonly heard: { readonly at: number; readonly input: SingleInput }[];
  readonly toDo: Effect[];
}

const START = 100;

export class Stage {
  readonly world: World;
  readonly #puppets = new Map<NodeId, Puppet>();

  constructor(size: number, seed = 1, networks = 1) {
    const machine: Machine = {
      init: (birth) => {
        const puppet: Puppet = { birth, heard: [], toDo: [] };
        this.#puppets.set(birth.self, puppet);
        return { state: puppet, effects: [] };
      },
      step: (state, input) => {
        const puppet = state as Puppet;
        const at = this.world.timeline.now;
        for (const each of input.type === "together" ? input.inputs : [input])
          puppet.heard.push({ at, input: each });
        return { state, effects: puppet.toDo.splice(0) };
      },
      nextWakeAt: () => undefined,
      meshView: () => {
        throw new Error("a puppet has no view");
      },
      incidentViews: () => [],
    };
    this.world = new World({ seed, machine, names: hostNames(size), networks });
  }

  /** All hosts powered and their processes running. */
  async open(): Promise<this> {
    await this.world.run(
      this.world.hosts.map(({ index }) => ({ at: 0, fault: { type: "power-on", host: index } as const })),
      START,
    );
    return this;
  }

  /** The present life of that host's process. */
  puppet(host: number): Puppet {
    const puppet = this.#puppets.get(idOf(host));
    if (puppet === undefined) throw new Error(`host ${host} never ran`);
    return puppet;
  }

  async do(host: number, ...effects: Effect[]): Promise<void> {
    this.puppet(host).toDo.push(...effects);
    this.world.timeline.in(0, () => this.world.hosts[host]?.give({ type: "wake" }));
    await this.pass(0);
  }

  async pass(length: number): Promise<void> {
    await this.world.timeline.runUntil(this.world.timeline.now + length);
  }

  async dial(from: number, to: number, network = 0): Promise<void> {
    const address = this.world.hosts[to]?.addresses[network] ?? "";
    await this.do(from, { type: "dial", peer: idOf(to), address });
  }

  async say(from: number, to: number, plane: "stream" | "datagram", number: number): Promise<void> {
    const message = { t: "ack", numbers: [number] } as const;
    await this.do(from, { type: "send", to: idOf(to), plane, envelope: { message } });
  }

  /** What that host heard, wakes left out. */
  told(host: number): SingleInput[] {
    return this.puppet(host)
      .heard.map(({ input }) => input)
      .filter(({ type }) => type !== "wake");
  }

  /** The numbers that reached the host, in order. */
  numbers(host: number): number[] {
    return this.told(host).flatMap((input) =>
      input.type === "received" && input.envelope.message.t === "ack" ? input.envelope.message.numbers : [],
    );
  }

  sessions(host: number): string[] {
    return this.told(host).flatMap((input) => {
      if (input.type === "session-up") return [`up ${input.session}`];
      return input.type === "session-down" ? [`down ${input.session} ${input.end}`] : [];
    });
  }
}
