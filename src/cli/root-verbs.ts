/** The verbs about the root key and its recovery code. */
import type { Command } from "commander";
import { collect } from "./arguments.ts";
import type { Go } from "./context.ts";

export function addRecoveryVerbs(recovery: Command, go: Go): void {
  recovery
    .command("verify")
    .description("see whether a code opens the sealed root key; nothing is changed, no daemon is needed")
    .option("--recovery-file <file>", "this copy, instead of the one in the roster")
    .action((given: { recoveryFile?: string }) =>
      go(async (context) => (await import("./recovery.ts")).recoveryVerify(context, given.recoveryFile)),
    );
  recovery
    .command("renew")
    .description("seal the root key under a new code, on the keymaster; old copies stay as they are")
    .action(() => go(async (context) => (await import("./recovery.ts")).recoveryRenew(context)));
}

export function addRootVerbs(root: Command, go: Go): void {
  root
    .command("rotate")
    .description("replace the root key, on the keymaster; goes on by itself once it is announced")
    .option(
      "--waive <node>",
      "do not wait for this node; may be repeated, also while it is under way",
      collect,
    )
    .action(({ waive = [] }: { waive?: string[] }) =>
      go(async (context) => (await import("./root.ts")).rootRotate(context, waive)),
    );
  root
    .command("status")
    .description("the roots this node trusts, and how far a change of them is")
    .action(() => go(async (context) => (await import("./root.ts")).rootStatus(context)));
}
