import { builtApp, findProgram } from './checkout.js';
import type { DataFolder } from './data-folder.js';
import { LOOPBACK, rememberPorts } from './ports.js';
import type { ServiceSpec } from './service-spec.js';

export interface ClusterSettings {
  readonly data: DataFolder;
  /** Where the gateway listens. */
  readonly port: number;
  readonly searchPath: string;
  /** Whether there is a key for a real model; without one the simulator plays the model. */
  readonly realModel: boolean;
}

const STOP_ORDER = [
  ['gateway'],
  ['sweeper', 'coordinator'],
  ['segment-runner'],
  ['workspace-manager'],
  ['model-simulator'],
  ['event-store'],
  ['nats'],
];

/** The services of a local cluster and how each is started. */
export async function clusterServices(settings: ClusterSettings): Promise<readonly ServiceSpec[]> {
  const { data, port, realModel } = settings;
  const ports = await rememberPorts(data.portsFile(), ['nats', 'event-store', 'model-simulator']);
  const everywhere = {
    BATON_LOG_URL: `esdb://${LOOPBACK}:${ports['event-store']}?tls=false`,
    BATON_BUS_URL: `nats://${LOOPBACK}:${ports.nats}`,
    BATON_API_KEY_FILE: data.keyFile(),
    BATON_HEALTH_PORT: '0',
    ...(realModel ? {} : { BATON_MODEL_URL: `http://${LOOPBACK}:${ports['model-simulator']}` }),
  };
  const app = (name: string, needs: readonly string[], listens?: number): ServiceSpec => ({
    name,
    program: { kind: 'node', module: builtApp(name) },
    env: {
      ...everywhere,
      BATON_DATA: data.file(name),
      ...(listens === undefined ? {} : { BATON_PORT: String(listens) }),
    },
    ...(listens === undefined ? {} : { port: listens }),
    needs,
    stopGroup: stopGroup(name),
  });
  const ground = ['nats', 'event-store'];
  return [
    nats(settings, ports.nats),
    app('event-store', [], ports['event-store']),
    ...(realModel ? [] : [app('model-simulator', [], ports['model-simulator'])]),
    { ...app('workspace-manager', ground), secretsFolder: data.file('secrets') },
    app('segment-runner', ground),
    app('coordinator', ground),
    app('sweeper', ground),
    app('gateway', ground, port),
  ];
}

/** NATS with JetStream, its storage inside the data folder. */
export function nats({ data, searchPath }: Pick<ClusterSettings, 'data' | 'searchPath'>, port: number): ServiceSpec {
  return {
    name: 'nats',
    program: {
      kind: 'native',
      path: findProgram('nats-server', searchPath),
      args: ['--addr', LOOPBACK, '--port', String(port), '--jetstream', '--store_dir', data.file('nats')],
      readyPort: port,
    },
    env: {},
    port,
    needs: [],
    stopGroup: stopGroup('nats'),
  };
}

const stopGroup = (name: string): number => STOP_ORDER.findIndex((group) => group.includes(name));
