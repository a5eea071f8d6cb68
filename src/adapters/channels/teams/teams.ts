/**
 * Starts a Microsoft Teams workflow that posts what it gets as an Adaptive Card. 202 says that the
 * workflow was started: what it does then cannot be seen from here.
 */
import type { Channel } from "../../../ports/channel.ts";
import type { TeamsConfig } from "../../../wire/channels/teams.ts";
import { httpChannel, jsonFields } from "../http-channel.ts";
import type { ReadAnswer } from "../judge.ts";
import { wordAt } from "../reply-fields.ts";
import { readSecrets } from "../secret-file.ts";
import type { ChannelSurroundings } from "../surroundings.ts";
import { cardMessage } from "./card.ts";

export const createTeams = (config: TeamsConfig, around: ChannelSurroundings): Channel =>
  httpChannel({
    config,
    around,
    url: config.url,
    secrets: readSecrets(config, {}),
    send: (notification, { request }) =>
      request(
        {
          url: config.url,
          body: cardMessage(notification),
          headers: { "Content-Type": "application/json" },
        },
        readAnswer,
      ),
  });

/** Power Automate's refusals: `{"error": {"code", "message"}}`. */
const readAnswer: ReadAnswer = (answer) => {
  const reply = jsonFields(answer);
  const words = [wordAt(reply, "error", "code"), wordAt(reply, "error", "message")];
  const said = words.filter((each) => each !== undefined).join(": ");
  return said === "" ? undefined : { said };
};
