import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bus } from '#bus';
import { silentLogger } from '#platform';
import { Gateway } from '../api/gateway.js';
import { clusterServices } from '../cluster/cluster-services.js';
import { DataFolder } from '../cluster/data-folder.js';
import { GRACE_MS, LocalCluster } from '../cluster/local-cluster.js';
import { rememberPorts } from '../cluster/ports.js';
import type { ServiceSpec } from '../cluster/service-spec.js';
import { inheritedVariables, searchPath } from '../config.js';
import { LogProxy } from '../faults/log-proxy.js';
import { armsOf } from './arms.js';
import { Desk } from './desk.js';
import type { Arms } from './disturbance.js';
import type { Writer } from './points.js';
import { Workspaces } from './workspaces.js';

/** Services die by the hundred here and have done nothing wrong. */
const BACKOFF = { firstMs: 50, mostMs: 50, healthyMs: 0 };
/** Sooner than in earnest, since every segment that stands still is waited for. */
const SILENCE_MS = '3000';

export interface TortureCluster {
  readonly cluster: LocalCluster;
  readonly gateway: Gateway;
  readonly desk: Desk;
  readonly arms: Arms;
  readonly workspaces: Workspaces;
  readonly folder: string;
  close(keep: boolean): Promise<void>;
}

export interface Opening {
  /** How many segments may work at a time. */
  readonly pool: number;
  /** Where the agent's secrets lie. */
  readonly secrets: string;
  readonly say: (sentence: string) => void;
}

/** A cluster of its own in a temporary folder, in which the runner and the coordinator reach the log by proxies. */
export async function openTortureCluster({ pool, secrets, say }: Opening): Promise<TortureCluster> {
  const data = new DataFolder(mkdtempSync(join(tmpdir(), 'baton-torture-')));
  data.prepare();
  const desk = new Desk();
  const proxies: LogProxy[] = [];
  let bus: Bus | undefined;
  const { gateway: port } = await rememberPorts(data.portsFile(), ['gateway']);
  let specs: readonly ServiceSpec[] = [];
  const services = async (): Promise<readonly ServiceSpec[]> => {
    const plain = await clusterServices({ data, port, realModel: false, searchPath: searchPath() });
    const storePort = plain.find(({ name }) => name === 'event-store')?.port ?? 0;
    const proxied = async (writer: Writer): Promise<string> => {
      const proxy = await LogProxy.start({ port: storePort, onAppend: (append) => desk.onAppend(writer, append) });
      proxies.push(proxy);
      return proxy.url;
    };
    const changes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      'segment-runner': { BATON_LOG_URL: await proxied('segment-runner'), BATON_POOL_SIZE: String(pool) },
      coordinator: { BATON_LOG_URL: await proxied('coordinator') },
      sweeper: { BATON_SILENCE_MS: SILENCE_MS },
    };
    specs = plain.map((spec) => ({
      ...spec,
      env: { ...spec.env, ...changes[spec.name] },
      ...(spec.secretsFolder === undefined ? {} : { secretsFolder: secrets }),
    }));
    return specs;
  };
  const { ANTHROPIC_API_KEY: _key, ANTHROPIC_BASE_URL: _url, ...variables } = inheritedVariables();
  const tell = (sentence: string): void => (/ is started again in /.test(sentence) ? undefined : say(sentence));
  const cluster = await LocalCluster.open({
    data,
    port,
    services,
    variables,
    backoff: BACKOFF,
    graceMs: GRACE_MS,
    say: tell,
  });
  const close = async (keep: boolean): Promise<void> => {
    await bus?.close();
    await cluster.stop();
    await Promise.all(proxies.map((proxy) => proxy.close()));
    if (!keep) rmSync(data.path, { recursive: true, force: true });
  };
  try {
    await Promise.race([cluster.start(), cluster.stopped]);
    const manager = specs.find(({ name }) => name === 'workspace-manager')?.env ?? {};
    bus = await Bus.connect({ url: manager['BATON_BUS_URL'] ?? '', name: 'torture', logger: silentLogger });
    const target = { url: cluster.record.url, key: data.apiKey() };
    const workspaces = new Workspaces(manager['BATON_DATA'] ?? '', bus);
    const arms = armsOf(cluster, bus, workspaces);
    return { cluster, gateway: new Gateway(target), desk, arms, workspaces, folder: data.path, close };
  } catch (error) {
    await close(false);
    throw error;
  }
}
