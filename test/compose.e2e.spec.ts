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
  ports: z.array(z.string()).default([]),
  security_opt: z.array(z.string()),
  logging: z.object({ options: z.object({ 'max-size': z.string(), 'max-file': z.string() }) }),
  restart: z.literal('unless-stopped'),
  healthcheck: z.object({ test: z.tuple([z.literal('CMD')], z.string()) }),
  deploy: z.object({ resources: z.object({ limits: z.object({ memory: z.string(), pids: z.number() }) }) }),
});
const Walls = z.object({
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')], z.string()),
});
const Profile = z.object({
  defaultAction: z.literal('SCMP_ACT_ALLOW'),
  syscalls: z.array(z.object({ names: z.array(z.string()), action: z.literal('SCMP_ACT_ERRNO') })),
});
const Compose = z.object({
  services: z.record(z.string(), Service.loose()),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
  volumes: z.record(z.string(), z.object({})),
});

/** As Compose reads it where the shell sets nothing. */
const compose = Compose.parse(
  parse(readFileSync('docker-compose.yml', 'utf8').replace(/\$\{\w+:-([^}]*)\}/g, '$1'), { merge: true }),
);
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

  it.each(Object.keys(SETTINGS))('gives %s no root, no capability and no file system to write to', (app) => {
    expect(Walls.parse(compose.services[app])).toBeDefined();
    expect(readFileSync('Dockerfile', 'utf8')).toMatch(/^USER 1000:1000$/m);
  });

  it('opens walls for the sandbox only, by a profile that forbids what a sandbox does not need', () => {
    const open = Object.entries(compose.services).filter(([, { security_opt }]) =>
      security_opt.some((option) => !option.startsWith('no-new-privileges')),
    );
    expect(open.map(([name]) => name)).toEqual(['workspace-manager']);
    const profile = open[0]?.[1].security_opt.find((option) => option.startsWith('seccomp='))?.split('=')[1] ?? '';
    const { syscalls } = Profile.parse(JSON.parse(readFileSync(profile, 'utf8')));
    const forbidden = syscalls.flatMap(({ names }) => names);
    expect(forbidden).toEqual(expect.arrayContaining(['bpf', 'init_module', 'kexec_load', 'keyctl', 'setns']));
    for (const needed of ['clone', 'unshare', 'mount', 'umount2', 'pivot_root'])
      expect(forbidden).not.toContain(needed);
  });

  it('publishes the gateway alone, to this machine alone', () => {
    const published = Object.values(compose.services).flatMap(({ ports }) => ports);
    expect(published).toEqual(['127.0.0.1:4700:4700']);
  });

  it('names only secrets and volumes that it declares', () => {
    for (const { secrets, volumes } of Object.values(compose.services)) {
      expect(Object.keys(compose.secrets)).toEqual(expect.arrayContaining(secrets));
      expect(Object.keys(compose.volumes)).toEqual(
        expect.arrayContaining(volumes.map((volume) => volume.split(':')[0])),
      );
    }
  });
});
