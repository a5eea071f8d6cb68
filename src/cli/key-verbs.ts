/** The verbs about certificates and members. */
import { type Command, Option } from "commander";
import { collect } from "./arguments.ts";
import type { Go } from "./context.ts";

export function addCertVerbs(certs: Command, go: Go): void {
  certs.action(() => go(async (context) => (await import("./certs.ts")).certs(context)));
  certs
    .command("renew")
    .description("renew a certificate now; it is done in time without this")
    .argument("[node]", "its name; this node without")
    .action((node: string | undefined) =>
      go(async (context) => (await import("./certs.ts")).certsRenew(context, node)),
    );
}

export function addCrlVerbs(crl: Command, go: Go): void {
  crl
    .command("show")
    .description("the lists for other tools, one root after the other, as this node holds them")
    .option("--pem", "as other tools read them", false)
    .action((given: { pem: boolean }) =>
      go(async (context) => (await import("./crl.ts")).crlShow(context, given)),
    );
}

export function addNodeVerbs(node: Command, go: Go): void {
  for (const [verb, suspected, description] of [
    ["remove", false, "take a node out of the mesh; its daemon stops, its name can join anew"],
    ["revoke", true, "the same for a stolen host: people are told"],
  ] as const) {
    node
      .command(verb)
      .description(description)
      .argument("<node>", "its name, from `balefire nodes`")
      .option("--why <text>", "kept in the roster, shown to who asks why it is gone")
      .action((name: string, { why }: { why?: string }) =>
        go(async (context) =>
          (await import("./node.ts")).nodeRemove(context, name, {
            suspected,
            ...(why === undefined ? {} : { why }),
          }),
        ),
      );
  }
  node
    .command("readdress")
    .description("give a node other addresses, with the identity it has")
    .argument("<node>", "its name")
    .addOption(
      new Option("--address <IP[:PORT]>", "where the other nodes reach it; may be repeated")
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .action((name: string, { address }: { address: string[] }) =>
      go(async (context) => (await import("./node.ts")).nodeReaddress(context, name, address)),
    );
}
