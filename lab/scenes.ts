/** All scenes, in the order in which `all` plays them. A new one is a file in scenes/ and a line here. */
import { blackout } from "./scenes/blackout.ts";
import { blink } from "./scenes/blink.ts";
import { chaos } from "./scenes/chaos.ts";
import { cut } from "./scenes/cut.ts";
import { cutOff } from "./scenes/cut-off.ts";
import { daemonKilled } from "./scenes/daemon-killed.ts";
import { deaf } from "./scenes/deaf.ts";
import { fiveDie } from "./scenes/five-die.ts";
import { flapping } from "./scenes/flapping.ts";
import { frozen } from "./scenes/frozen.ts";
import { graceful } from "./scenes/graceful.ts";
import { hogs } from "./scenes/hogs.ts";
import { lastSurvivor } from "./scenes/last-survivor.ts";
import { loss } from "./scenes/loss.ts";
import { maintenance } from "./scenes/maintenance.ts";
import { mute } from "./scenes/mute.ts";
import { oneWay } from "./scenes/one-way.ts";
import { pair } from "./scenes/pair.ts";
import { partition } from "./scenes/partition.ts";
import { powerLoss } from "./scenes/power-loss.ts";
import { restart } from "./scenes/restart.ts";
import { rotation } from "./scenes/rotation.ts";
import { stutter } from "./scenes/stutter.ts";
import { suspended } from "./scenes/suspended.ts";
import { theft } from "./scenes/theft.ts";
import { twoNetworks } from "./scenes/two-networks.ts";
import { twoNodes } from "./scenes/two-nodes.ts";
import type { Scene } from "./stage.ts";

export const SCENES: readonly Scene[] = [
  cut,
  powerLoss,
  daemonKilled,
  frozen,
  suspended,
  twoNodes,
  lastSurvivor,
  fiveDie,
  graceful,
  maintenance,
  restart,
  blackout,
  cutOff,
  partition,
  twoNetworks,
  oneWay,
  pair,
  deaf,
  mute,
  flapping,
  blink,
  stutter,
  hogs,
  loss,
  chaos,
  rotation,
  theft,
];
