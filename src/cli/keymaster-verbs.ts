/** The verbs about who signs. */
import type { Command } from "commander";
import type { Go } from "./context.ts";
import type { CodeOptions, PromoteOptions } from "./keymaster.ts";

const FILE_OPTION = "--recovery-file <file>";
const FILE_SAYS = "instead of the copy in the roster";

export function addKeymasterVerbs(keymaster: Command, go: Go): void {
  keymaster
    .command("show")
    .description("who signs, who may take over, and what one that lost had signed")
    .action(() => go(async (context) => (await import("./keymaster.ts")).keymasterShow(context)));
  keymaster
    .command("promote")
    .description("the old keymaster is gone: this node takes its place, as a standby or by the recovery code")
    .option(FILE_OPTION, FILE_SAYS)
    .option("--with-code", "by the recovery code on a standby, too: it wins against a stolen keymaster")
    .action((given: PromoteOptions) =>
      go(async (context) => (await import("./keymaster.ts")).keymasterPromote(context, given)),
    );
  keymaster
    .command("move")
    .description("on the keymaster: a standby takes over, while both live")
    .argument("<node>", "its name")
    .action((node: string) =>
      go(async (context) => (await import("./keymaster.ts")).keymasterMove(context, node)),
    );
  for (const [verb, description] of [
    ["confirm", "make what a keymaster that lost had signed hold"],
    ["drop", "give it up"],
  ] as const) {
    keymaster
      .command(verb)
      .description(description)
      .argument("<id>", "from `balefire keymaster show`")
      .action((id: string) =>
        go(async (context) => {
          const verbs = await import("./keymaster.ts");
          return verb === "confirm" ? verbs.keymasterConfirm(context, id) : verbs.keymasterDrop(context, id);
        }),
      );
  }
  addStandbyVerbs(keymaster.command("standby").description("who may take over, on the keymaster"), go);
}

function addStandbyVerbs(standby: Command, go: Go): void {
  standby
    .command("add")
    .description("let a node take over one day; asks for the recovery code")
    .argument("<node>", "its name")
    .option(FILE_OPTION, FILE_SAYS)
    .action((node: string, given: CodeOptions) =>
      go(async (context) => (await import("./keymaster.ts")).standbyAdd(context, node, given)),
    );
  standby
    .command("remove")
    .description("take that from it: its signing key is void")
    .argument("<node>", "its name")
    .action((node: string) =>
      go(async (context) => (await import("./keymaster.ts")).standbyRemove(context, node)),
    );
}
