import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { ClusterBench, eventually, exitOf } from '../../fixtures/cluster-bench.js';
import { endsFile, standInPlan } from '../../fixtures/stand-ins.js';
import { signal } from './born.js';
import { LocalCluster } from './local-cluster.js';
import { LOOPBACK } from './ports.js';

let bench: ClusterBench;
beforeEach(async () => {
  bench = await ClusterBench.make();
});
afterEach(() => bench.clear());

const SERVICES = ['nats', 'store', 'deaf', 'runner', 'gateway'];

const nothingIsLeft = (): void => {
  expect(bench.leftovers()).toEqual([]);
  expect(existsSync(bench.data.lockFile())).toBe(false);
  expect(existsSync(bench.data.recordFile())).toBe(false);
};

describe('starting', () => {
  it('lists the supervisor, every service and the segment children', async () => {
    await bench.up();
    const listed = await bench.ps();
    expect(listed.map(({ name }) => name).toSorted()).toEqual([...SERVICES, 'segment', 'supervisor'].toSorted());
    expect(listed.filter(({ name }) => name !== 'segment').every(({ state }) => state === 'running')).toBe(true);
    expect(listed.find(({ name }) => name === 'segment')).toMatchObject({ run: 'a-run', segment: 3, state: 'working' });
    expect(listed.find(({ name }) => name === 'gateway')).toMatchObject({ port: bench.port });
  });

  it('passes on what a service has to say to the person', async () => {
    await bench.up();
    expect(bench.said).toContain('runner: This is only a stand-in.');
  });

  it('makes a key that only its owner may read', async () => {
    await bench.up();
    expect(readFileSync(bench.data.keyFile(), 'utf8')).toMatch(/^bk_[\w-]{43}\n$/);
    expect(statSync(bench.data.keyFile()).mode & 0o777).toBe(0o600);
    expect(statSync(bench.data.recordFile()).mode & 0o777).toBe(0o600);
  });

  it('is refused while a cluster runs on the folder, and leaves that one alone', async () => {
    const first = await bench.up();
    const second = await bench.up();
    expect(await exitOf(second.child)).toBe(1);
    expect(second.stderr).toMatch(
      /^A cluster runs on .* already at http:.* \(process \d+\): use it, stop it with .*\n$/,
    );
    expect(first.child.exitCode).toBeNull();
    expect(await bench.ps()).toHaveLength(SERVICES.length + 2);
  });

  it('lets exactly one win when two start at once on what a killed cluster left', async () => {
    const first = await bench.up('all-listen');
    first.child.kill('SIGKILL');
    await exitOf(first.child);
    const rivals = await Promise.all([bench.up(), bench.up()]);
    expect(rivals.filter(({ child }) => child.exitCode === 1)).toHaveLength(1);
    expect(await bench.ps()).toHaveLength(SERVICES.length + 2);
  });

  it('is refused when the port is taken, and leaves nothing behind', async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(bench.port, LOOPBACK, resolve));
    const { child, stderr } = await bench.up();
    squatter.close();
    expect(await exitOf(child)).toBe(1);
    expect(stderr).toBe(
      `Port ${bench.port} is taken by another program: choose another with --port N (or BATON_PORT), or stop what uses it.\n`,
    );
    expect(existsSync(bench.data.lockFile())).toBe(false);
    expect(existsSync(bench.data.recordFile())).toBe(false);
  });

  it('is refused on a data folder of another format', async () => {
    mkdirSync(bench.data.path);
    writeFileSync(bench.data.versionFile(), '2\n');
    const { child, stderr } = await bench.up();
    expect(await exitOf(child)).toBe(1);
    expect(stderr).toMatch(
      /has format 2 and this Baton writes format 1: use the Baton that made it, or another folder/,
    );
  });
});

describe('keeping alive', () => {
  it('starts a killed service again, nats on the same port', async () => {
    await bench.up();
    for (const name of ['nats', 'store', 'runner', 'store']) {
      const before = (await bench.ps()).find((one) => one.name === name);
      signal(await bench.pidOf(name), 'SIGKILL');
      await eventually(async () => {
        const now = (await bench.ps()).find((one) => one.name === name);
        return now?.state === 'running' && now.pid !== before?.pid && now.port === before?.port;
      });
    }
    expect((await bench.ps()).find(({ name }) => name === 'store')).toMatchObject({ restarts: 2, lastExit: 'SIGKILL' });
  });

  it('never gives a service up that dies at every start, and says why it died', async () => {
    const said: string[] = [];
    const cluster = await LocalCluster.open(
      standInPlan({ data: bench.data, port: bench.port, cast: 'one-doomed', say: (sentence) => said.push(sentence) }),
    );
    const doomed = () => cluster.list().find(({ name }) => name === 'doomed');
    void cluster.start();
    try {
      await eventually(() => (doomed()?.restarts ?? 0) >= 4 && doomed()?.state === 'backing-off');
      expect(doomed()).toMatchObject({ pid: null, lastExit: 'exit code 3' });
      expect(said.filter((sentence) => sentence.startsWith('doomed')).slice(0, 4)).toEqual(
        [50, 100, 200, 400].map((ms) => `doomed ended (exit code 3) and is started again in ${ms} ms`),
      );
      expect(readFileSync(bench.data.logOf('supervisor'), 'utf8')).toContain('doomed cannot find its glasses');
      await bench.ps();
    } finally {
      await cluster.stop();
    }
    expect(bench.leftovers()).toEqual([]);
  });
});

describe('stopping', () => {
  it('ends the services in their order, the deaf one by force, and leaves no process and no lock', async () => {
    const { child } = await bench.up();
    expect(await bench.baton('down')).toMatchObject({ code: 0 });
    expect(await exitOf(child)).toBe(0);
    nothingIsLeft();
    expect(readFileSync(endsFile(bench.data), 'utf8')).toBe('gateway\nrunner\ndeaf\nstore\n');
    expect(bench.said).toContain('deaf did not end within 0.5 s and is killed');
    expect(JSON.parse((await bench.baton('ps', '--json')).out)).toEqual([]);
  });

  it('does the same on Ctrl-C', async () => {
    const { child } = await bench.up();
    child.kill('SIGINT');
    expect(await exitOf(child)).toBe(0);
    nothingIsLeft();
  });

  it('ends a service that was stopped with SIGSTOP', async () => {
    await bench.up();
    signal(await bench.pidOf('store'), 'SIGSTOP');
    expect(await bench.baton('down')).toMatchObject({ code: 0 });
    nothingIsLeft();
  });

  it('ends the segment children whose runner was killed', async () => {
    await bench.up();
    signal(await bench.pidOf('runner'), 'SIGKILL');
    await eventually(async () => (await bench.ps()).some(({ state }) => state === 'orphaned'));
    expect(await bench.baton('down')).toMatchObject({ code: 0 });
    nothingIsLeft();
  });

  it('succeeds when nothing runs', async () => {
    expect(await bench.baton('down')).toMatchObject({ code: 0, out: `No cluster runs on ${bench.data.path}.\n` });
  });

  it('ends what a killed supervisor left', async () => {
    const { child } = await bench.up('all-listen');
    child.kill('SIGKILL');
    await exitOf(child);
    expect(await bench.baton('down')).toMatchObject({ code: 0 });
    nothingIsLeft();
  });
});

describe('going on after a crash', () => {
  it('lets the services work on when the supervisor is killed, and takes over from them at the next start', async () => {
    const { child } = await bench.up();
    const before = await bench.ps();
    child.kill('SIGKILL');
    await exitOf(child);
    const orphans = await bench.ps();
    expect(orphans.map(({ name, state }) => `${name} ${state}`)).toEqual(SERVICES.map((name) => `${name} orphaned`));
    expect(orphans.map(({ pid }) => pid)).toEqual(SERVICES.map((name) => before.find((one) => one.name === name)?.pid));

    const next = await bench.up();
    expect(next.child.exitCode).toBeNull();
    expect(bench.said.join('\n')).toMatch(/was not stopped; ending what it left: nats, store, deaf, runner, gateway/);
    const old = new Set(before.map(({ pid }) => pid));
    const now = await bench.ps();
    expect(now.filter(({ state }) => state === 'running')).toHaveLength(SERVICES.length + 1);
    expect(bench.leftovers().filter((pid) => old.has(pid))).toEqual([]);
  });

  it('takes a second killing of the supervisor in the middle of a take-over', async () => {
    const first = await bench.up();
    first.child.kill('SIGKILL');
    await exitOf(first.child);
    const second = bench.up();
    await eventually(() => bench.said.some((sentence) => sentence.includes('was not stopped')));
    await bench.killNewest();
    await second;
    const third = await bench.up();
    expect(third.child.exitCode).toBeNull();
    expect((await bench.ps()).filter(({ state }) => state === 'running')).toHaveLength(SERVICES.length + 1);
  });

  it('goes on after a power cut with the same key and the same ports', async () => {
    await bench.up();
    const key = readFileSync(bench.data.keyFile(), 'utf8');
    const ports = (await bench.ps()).map(({ name, port }) => [name, port]);
    await bench.powerCut();
    const { child } = await bench.up();
    expect(child.exitCode).toBeNull();
    expect(readFileSync(bench.data.keyFile(), 'utf8')).toBe(key);
    expect((await bench.ps()).map(({ name, port }) => [name, port])).toEqual(ports);
  });

  it('does not end a stranger that has got the number of a service', async () => {
    await bench.up();
    const record = JSON.parse(readFileSync(bench.data.recordFile(), 'utf8')) as { services: object[] };
    await bench.powerCut();
    const services = record.services.map((service) => ({ ...service, pid: process.pid }));
    writeFileSync(bench.data.recordFile(), JSON.stringify({ ...record, services }));
    const { child } = await bench.up();
    expect(child.exitCode).toBeNull();
  });
});
