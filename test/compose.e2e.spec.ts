import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { CoordinatorConfig } from '../apps/coordinator/src/config.js';
import { eventStoreConfig } from '../apps/event-store/src/config.js';
import { GatewayConfig } from '../apps/gateway/src/config.js';
import { ModelSimulatorConfig } from '../apps/model-simulator/src/config.js';
import { SegmentRunnerConfig } from '../apps/segment-runner/src/config.js';
import { SweeperConfig } from '../apps/sweeper/src/config.js';
import { WorkspaceManagerConfig } from '../apps/workspace-manager/src/config.js';

const SETTINGS: Readonly<Record<string, z.ZodObject>> = {
  coordinator: CoordinatorConfig,
  'event-store': eventStoreConfig,
  gateway: GatewayConfig,
  'model-simulator': ModelSimulatorConfig,
  'segment-runner': SegmentRunnerConfig,
  sweeper: SweeperConfig,
  'workspace-manager': WorkspaceManagerConfig,
};
/** What is run by hand and has no place in a cluster. */
const NO_SERVICE = 'cli';

const Service = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  restart: z.literal('unless-stopped'),
  healthcheck: z.object({ test: z.tuple([z.literal('CMD')], z.string()) }),
  deploy: z.object({ resources: z.object({ limits: z.object({ memory: z.string(), pids: z.number() }) }) }),
});
const Compose = z.object({
  services: z.record(z.string(), Service),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
  volumes: z.record(z.string(), z.object({})),
});

const compose = Compose.parse(parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }));
const serviceOf = (app: string): z.infer<typeof Service> => Service.parse(compose.services[app]);

describe('the compose file', () => {
  it('has a service for every app but the command line, and no other of our own', () => {
    const apps = readdirSync('apps').filter((app) => app !== NO_SERVICE);
    const ours = Object.entries(compose.services).filter(([, { image }]) => image.startsWith('baton:'));
    expect(ours.map(([name]) => name).toSorted()).toEqual(apps.toSorted());
  });

  it.each(Object.keys(SETTINGS))('starts %s by its main file', (app) => {
    const words = (serviceOf(app).command ?? []).join(' ');
    const [, main] = /\bdist\/(apps\/\S+)\.js$/.exec(words) ?? [];
    expect(main).toBe(`apps/${app}/src/main`);
    expect(existsSync(`${main}.ts`)).toBe(true);
  });

  it.each(Object.entries(SETTINGS))(
    'gives %s only variables that it knows, with values that it takes',
    (app, schema) => {
      const { environment } = serviceOf(app);
      expect(Object.keys(schema.shape)).toEqual(expect.arrayContaining(Object.keys(environment)));
      expect(schema.safeParse(environment).error).toBeUndefined();
    },
  );

  it('names only secrets and volumes that it declares', () => {
    for (const { secrets, volumes } of Object.values(compose.services)) {
      expect(Object.keys(compose.secrets)).toEqual(expect.arrayContaining(secrets));
      expect(Object.keys(compose.volumes)).toEqual(
        expect.arrayContaining(volumes.map((volume) => volume.split(':')[0])),
      );
    }
  });
});
