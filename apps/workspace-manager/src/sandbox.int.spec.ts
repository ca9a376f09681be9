import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { until } from '#testing';
import { aSpec, Bench, finished, lacks, PATH, Rig, someParts } from '../test/rig.js';
import { assemble } from './assembly.js';
import { probe } from './probe.js';
import { unsandboxed } from './sandbox.js';

const rig = new Rig();
const means = await probe({ group: 'baton-spec', etc: join(rig.folder, 'etc'), path: PATH, allowUnsandboxed: false });
const noSandbox = () => lacks(means.sandbox !== undefined, 'working sandbox');
const noGroups = () => lacks(means.sandbox !== undefined && means.groups !== undefined, 'control groups');
/** The weight on the processor, as version 2 counts it: 100 is ordinary; version 1 says 1,024. */
const WEIGHTS = ['cpu.weight', 'cpu.shares'] as const;
const weightOf = (folder: string): string =>
  existsSync(join(folder, 'cpu.weight'))
    ? readFileSync(join(folder, 'cpu.weight'), 'utf8').trim()
    : String((Number(readFileSync(join(folder, 'cpu.shares'), 'utf8')) * 100) / 1_024);
const noRoot = () => lacks(process.getuid?.() === 0 && means.sandbox !== undefined, 'root');

describe('the sandbox', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = new Bench(await rig.manager());
    if (means.sandbox) await bench.open(aSpec({ memoryMb: 64, processes: 16 }));
  });
  afterAll(async () => {
    means.groups?.leave();
    await rig.close();
  });

  it('shows nothing of the host but its programs', async () => {
    if (noSandbox()) return;
    const secret = join(rig.folder, 'secret');
    writeFileSync(secret, 'secret');
    const { text } = finished(
      await bench.bash(`cat ${secret}; ls -A / /etc /home /root ${rig.folder} 2>&1; env | sort`),
    );
    expect(text).not.toMatch(/^secret$/m);
    expect(text).toMatch(/cannot access '\/home'/);
    expect(text).toContain('hosts\nld.so.cache\nnsswitch.conf\npasswd\n');
    expect(text).not.toContain('shadow');
    expect(text).toMatch(/\nHOME=\/workspace\nLANG=C.UTF-8\n(?:[A-Z_]+=.*\n)*PATH=/);
    expect(text).not.toContain('NODE_OPTIONS');
  });

  it('lets nothing be written but the workspace and the temporary folders', async () => {
    if (noSandbox()) return;
    const state = await bench.bash(
      'for d in / /usr /etc /proc/sys/kernel /workspace /tmp /dev/shm; do touch $d/x 2>/dev/null && echo $d; done',
    );
    expect(finished(state).text).toBe('/workspace\n/tmp\n/dev/shm\n');
  });

  it('keeps the temporary files of one call from the next', async () => {
    if (noSandbox()) return;
    await bench.bash('echo kept >/tmp/kept');
    expect(finished(await bench.bash('cat /tmp/kept')).outcome).toBe('error');
  });

  it('sees no process but its own', async () => {
    if (noSandbox()) return;
    const { text } = finished(await bench.bash('ls -d /proc/[0-9]* | wc -l; kill -9 -1 2>/dev/null; echo'));
    expect(Number.parseInt(text, 10)).toBeLessThan(10);
  });

  it('is no root and can become none', async () => {
    if (noSandbox()) return;
    const state = await bench.bash('id -u; grep -E "^(Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs)" /proc/self/status');
    const [uid, ...lines] = finished(state).text.trim().split('\n');
    expect(uid).not.toBe('0');
    for (const line of lines) expect(line).toMatch(/:\t(0{16}|1)$/);
  });

  it('has no network unless the agent file allows it', async () => {
    if (noSandbox()) return;
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
    try {
      await new Promise((resolve) => server.once('listening', resolve));
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : 0;
      const knock = `cat </dev/tcp/127.0.0.1/${port}; ls /sys/class/net 2>/dev/null; grep -c : /proc/net/dev`;
      expect(finished(await bench.bash(knock)).text).toMatch(/Connection refused[^]*\n1\n$/);
      const online = await new Bench(bench.manager).open(aSpec({ network: true }));
      const { text } = finished(await online.bash(knock));
      expect(text).toMatch(/^hello/);
    } finally {
      server.close();
    }
  });

  it('holds a command to its memory and says so', async () => {
    if (noGroups()) return;
    const { outcome, text } = finished(
      await bench.bash(
        'head -c 200000000 /dev/zero | tail -c 150000000 | wc -c; true & wait; exit ${PIPESTATUS[1]:-9}',
      ),
    );
    expect(outcome).toBe('error');
    expect(text).toContain('[the memory limit was reached and a process was killed]');
  });

  it('holds a command to its number of processes, and ends a fork bomb with its sandbox', async () => {
    if (noGroups()) return;
    const { text } = finished(await bench.bash('for i in $(seq 40); do sleep 30 & done; true', { limitMs: 3_000 }));
    expect(text).toMatch(/Resource temporarily unavailable|fork/);
    const bomb = finished(await bench.bash('b() { b | b & b; }; b 2>/dev/null; sleep 30', { limitMs: 700 }));
    expect(['timed-out', 'error']).toContain(bomb.outcome);
    expect(finished(await bench.bash('echo calm')).text).toBe('calm\n');
    // A group can be removed once its dead processes are gone: what is left at first is tidied away.
    await until(async () => {
      await bench.manager.tidy();
      return !bench.manager.means.groups?.names().some((name) => name.startsWith(bench.runId));
    });
  });

  it('has each call weigh the same on the processor, and all of them together half of a service', async () => {
    const { groups } = bench.manager.means;
    if (noGroups() || lacks(groups?.weighsProcessor() === true, 'cpu controller')) return;
    void bench.bash('sleep 300', { waitMs: 0 });
    const folders = await until(() => {
      const of = (groups?.names() ?? [])
        .filter((name) => name.startsWith(bench.runId))
        .flatMap((name) => groups?.of(name).folders ?? []);
      const weighed = of.filter((folder) => WEIGHTS.some((file) => existsSync(join(folder, file))));
      return weighed.some((folder) => readFileSync(join(folder, 'cgroup.procs'), 'utf8') !== '') ? weighed : undefined;
    });
    expect(new Set(folders.map(weightOf))).toEqual(new Set(['100']));
    expect(new Set(folders.map((folder) => weightOf(dirname(folder))))).toEqual(new Set(['50']));
  });

  it('ends what a command leaves running in the background', async () => {
    if (noSandbox()) return;
    const begun = performance.now();
    expect(finished(await bench.bash('sleep 300 & setsid sleep 300 & echo done')).text).toBe('done\n');
    expect(performance.now() - begun).toBeLessThan(60_000);
  });

  it("goes on after the workspace's folder was closed to others", async () => {
    if (noSandbox()) return;
    const other = await new Bench(bench.manager).open();
    await other.bash('echo in >f; chmod 700 /workspace; chmod 600 f');
    expect(finished(await other.bash('cat f')).text).toBe('in\n');
    expect(finished(await other.call('read_file', { path: 'f' })).text).toBe('in\n');
  });

  it('answers with an error when the disk is full, and loses nothing', async () => {
    if (noRoot()) return;
    const disk = join(rig.folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]);
    try {
      const manager = await assemble({ ...someParts(rig.folder), data: disk });
      const full = await new Bench(manager).open();
      await full.call('write_file', { path: 'kept', content: 'kept' });
      const fill = await full.bash('echo begun; cat /dev/zero >filler; echo end; exit 5');
      expect(finished(fill)).toMatchObject({
        outcome: 'error',
        text: expect.stringMatching(/^begun\n.*No space left.*\nend\n/s),
      });
      const refused = finished(await full.call('write_file', { path: 'kept', content: 'x'.repeat(100_000) }));
      expect(refused).toMatchObject({
        outcome: 'error',
        text: expect.stringContaining('No space is left on the disk'),
      });
      expect(finished(await full.call('read_file', { path: 'kept' })).text).toBe('kept');
      expect(finished(await full.bash('rm filler; echo room >room; cat room')).text).toBe('room\n');
      expect(finished(await full.call('write_file', { path: 'kept', content: 'new' })).outcome).toBe('ok');
      await manager.close();
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });
});

describe('a manager without a sandbox', () => {
  const bare = new Rig();
  afterAll(() => bare.close());

  it("runs commands in the workspace's folder, with a clean environment, when that was allowed", async () => {
    const words = ['bash', '-c', 'pwd; echo $HOME; echo ${BATON_SECRET-none}'];
    const line = unsandboxed(false).commandLine(bare.folder, aSpec(), { words, fileBytes: 1024 });
    const args = ['-c', 'exec "$@" 4</dev/null', 'sh', ...line];
    const out = execFileSync('/bin/sh', args, { env: { ...process.env, BATON_SECRET: 's' } }).toString();
    expect(out).toBe(`${bare.folder}\n${bare.folder}\nnone\n`);
  });
});
