import { inbox } from "../../../src/adapters/channels/registry.ts";
import { channelContract } from "../channel-contract.ts";

channelContract("inbox", async () => ({ channel: inbox, secrets: [], close: async () => undefined }), {
  alone: true,
});
