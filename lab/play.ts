/** Plays one scene from an empty bridge to an empty bridge. */
import { FROM_SOURCE } from "./driver/checkout.ts";
import { machineMs, sleep } from "./driver/clock.ts";
import { Mesh } from "./driver/mesh.ts";
import { type NamespaceNetwork, namespaceNetwork } from "./driver/namespaces.ts";
import { type Line, type Scene, Stage } from "./stage.ts";

/**
 * Who has just started tells nothing for three seconds, since others may have told already (RESUME_PATIENCE in the core's
 * limits). A mesh that has been formed before is settled within half a second.
 */
const RESUMED_AFTER_MS = 2_700;

export interface SceneResult {
  readonly scene: string;
  readonly nodes: number;
  readonly passed: boolean;
  /** Why it was not played to its end; null when it was. */
  readonly broke: string | null;
  readonly tookMs: number;
}

export interface PlayOptions {
  readonly nodes?: number;
  readonly short: boolean;
  readonly emit: (line: Line) => void;
  readonly progress?: (text: string) => void;
}

/** Never rejects: a scene that cannot be played is one that failed. */
export async function playScene(scene: Scene, options: PlayOptions): Promise<SceneResult> {
  const nodes = Math.max(scene.nodes.min, options.nodes ?? scene.nodes.usual);
  const began = machineMs();
  const result = (passed: boolean, broke: string | null): SceneResult => ({
    scene: scene.name,
    nodes,
    passed,
    broke,
    tookMs: Math.round(machineMs() - began),
  });
  let network: NamespaceNetwork | undefined;
  let mesh: Mesh | undefined;
  try {
    network = namespaceNetwork(nodes, scene.networks);
    const policy = options.short ? (scene.shortPolicy ?? scene.policy) : scene.policy;
    mesh = await Mesh.form({
      names: Array.from({ length: nodes }, (_, place) => `pve${place + 1}`),
      network,
      balefire: FROM_SOURCE,
      ...(policy === undefined ? {} : { policy }),
      ...(scene.channelTimeout === undefined ? {} : { channelTimeout: scene.channelTimeout }),
      ...(options.progress === undefined ? {} : { progress: options.progress }),
    });
    await sleep(RESUMED_AFTER_MS);
    const stage = new Stage(mesh, network, options.short, options.emit);
    await scene.play(stage);
    return result(stage.passed, null);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return result(false, mesh === undefined ? reason : `${reason}\n${mesh.logTails()}`);
  } finally {
    await mesh?.close();
    network?.close();
  }
}
