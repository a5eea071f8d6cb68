/** All scenes, in the order in which `all` plays them. A new one is a file in scenes/ and a line here. */
import { blink } from "./scenes/blink.ts";
import { cut } from "./scenes/cut.ts";
import { daemonKilled } from "./scenes/daemon-killed.ts";
import { frozen } from "./scenes/frozen.ts";
import { graceful } from "./scenes/graceful.ts";
import { lastSurvivor } from "./scenes/last-survivor.ts";
import { loss } from "./scenes/loss.ts";
import { oneWay } from "./scenes/one-way.ts";
import { powerLoss } from "./scenes/power-loss.ts";
import { stutter } from "./scenes/stutter.ts";
import { twoNodes } from "./scenes/two-nodes.ts";
import type { Scene } from "./stage.ts";

export const SCENES: readonly Scene[] = [
  cut,
  powerLoss,
  daemonKilled,
  frozen,
  twoNodes,
  lastSurvivor,
  graceful,
  oneWay,
  blink,
  stutter,
  loss,
];
