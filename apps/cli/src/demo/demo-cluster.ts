import { BACKOFF } from '../cluster/backoff.js';
import { clusterServices } from '../cluster/cluster-services.js';
import { DataFolder } from '../cluster/data-folder.js';
import { GRACE_MS, LocalCluster } from '../cluster/local-cluster.js';
import { obstacleAt, rememberPorts } from '../cluster/ports.js';
import type { ServiceSpec } from '../cluster/service-spec.js';
import { inheritedVariables, searchPath } from '../config.js';
import type { Target } from '../target.js';
import { LocalWorkspaces } from './journal.js';
import { sandboxWorks } from './sandbox-trial.js';

export interface DemoCluster {
  readonly cluster: LocalCluster;
  readonly target: Target;
  readonly workspaces: LocalWorkspaces;
  readonly data: DataFolder;
}

/**
 * Opens the demo's own cluster without starting it: its data folder is `demo` inside of the given one, and the simulator
 * plays the model even where there is a key for a real one.
 */
export async function openDemoCluster(
  within: string,
  wishedPort: number,
  say: (sentence: string) => void,
): Promise<DemoCluster> {
  const data = new DataFolder(new DataFolder(within).file('demo'));
  data.prepare();
  const port = await freePort(data, wishedPort, say);
  const path = searchPath();
  let specs: readonly ServiceSpec[] = [];
  const cluster = await LocalCluster.open({
    data,
    port,
    services: async () => (specs = await clusterServices({ data, port, realModel: false, searchPath: path })),
    variables: await variables(path, say),
    backoff: BACKOFF,
    graceMs: GRACE_MS,
    say,
  });
  const manager = specs.find(({ name }) => name === 'workspace-manager')?.env ?? {};
  return {
    cluster,
    data,
    target: { url: cluster.record.url, key: data.apiKey() },
    workspaces: new LocalWorkspaces(manager['BATON_DATA'] ?? '', manager['BATON_BUS_URL'] ?? ''),
  };
}

async function freePort(data: DataFolder, wished: number, say: (sentence: string) => void): Promise<number> {
  if ((await obstacleAt(wished)) === undefined) return wished;
  const { gateway } = await rememberPorts(data.portsFile(), ['gateway']);
  say(`Port ${wished} is taken, so the demo's gateway listens on ${gateway}.`);
  return gateway;
}

/** What the services inherit; the demo's own harmless commands may run without a sandbox where there can be none. */
async function variables(path: string, say: (sentence: string) => void): Promise<NodeJS.ProcessEnv> {
  const { ANTHROPIC_API_KEY: _key, ANTHROPIC_BASE_URL: _url, ...inherited } = inheritedVariables();
  if (await sandboxWorks(path)) return inherited;
  say(
    'bubblewrap cannot run here: the demo lets its own commands (sh and awk over its own files) run WITHOUT a sandbox.',
  );
  return { ...inherited, BATON_ALLOW_UNSANDBOXED: '1' };
}
