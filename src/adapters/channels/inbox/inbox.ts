import type { Channel } from "../../../ports/channel.ts";

/**
 * The channel that is always there. Its message is the ledger's record, which the core writes
 * and gossips before it delivers, so there is nothing left to do and nothing that can fail;
 * it proves nothing about reaching a person.
 */
export const inbox: Channel = {
  name: "inbox",
  type: "inbox",
  deliver: () => Promise.resolve({ outcome: "delivered", detail: "kept in the inbox" }),
};
