import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { isThere, until } from '#testing';
import { ClusterRig, TEST_MS } from './cluster-rig.js';

describe('a cluster that was started in the foreground', () => {
  let rig: ClusterRig;
  let up: ChildProcess;

  beforeEach(async () => {
    rig = await ClusterRig.prepare();
    up = spawn(process.execPath, ['bin/baton.mjs', 'up', '--data', rig.data, '--port', rig.port], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for await (const line of createInterface({ input: up.stdout ?? process.stdin })) {
      if (line.startsWith('Baton is up')) break;
    }
  }, TEST_MS);

  afterEach(() => rig.remove(), TEST_MS);

  it(
    'goes on when nobody reads its words any more, and stops without leaving a process',
    async () => {
      up.stdout?.destroy();
      up.stderr?.destroy();
      const before = await rig.processes();
      // It has something to say about a service that dies.
      process.kill(await rig.pidOf('sweeper'), 'SIGKILL');
      await until(async () => {
        const sweeper = (await rig.processes()).find(({ name }) => name === 'sweeper');
        return sweeper?.state === 'running' && sweeper.pid !== before.find(({ name }) => name === 'sweeper')?.pid;
      }, TEST_MS);
      const pids = (await rig.processes()).flatMap(({ pid }) => (pid === null ? [] : [pid]));
      const ended = once(up, 'exit');
      process.kill(up.pid ?? 0, 'SIGINT');
      expect((await ended)[0]).toBe(0);
      expect(pids.filter(isThere)).toEqual([]);
    },
    TEST_MS,
  );
});
