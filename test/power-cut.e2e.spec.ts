import { readdir, readFile } from 'node:fs/promises';
import { until } from '#testing';
import { ClusterRig, completedExactly, kill, STEADY, TEST_MS } from './cluster-rig.js';

/** Recovery over prevention: everything off at once in the middle of ten runs, and on again. */
let rig: ClusterRig;
beforeAll(async () => {
  rig = await ClusterRig.start();
}, TEST_MS);
afterAll(() => rig.remove(), TEST_MS);

/** The processes of this machine that were started for this cluster or by it. */
async function ofThisCluster(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const told = await Promise.all(
    pids.map(async (pid) => {
      const texts = ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => ''));
      return (await Promise.all(texts)).some((text) => text.includes(rig.data)) ? [pid] : [];
    }),
  );
  return told.flat();
}

describe('everything off in the middle of ten runs, and on again', () => {
  it(
    'finishes all ten, with every item worked on once and no process left',
    async () => {
      const ids = await Promise.all(Array.from({ length: 10 }, () => rig.run({ command: STEADY }, 4)));
      await until(async () => {
        const done = await Promise.all(ids.map((id) => rig.notes(id, 'ledger')));
        return done.flat().length >= 8;
      }, TEST_MS);
      const processes = await rig.processes();
      // First of all the one that would start the others again.
      expect(processes[0]?.name).toBe('supervisor');
      for (const { pid } of processes) if (pid !== null) tryToKill(pid);
      await rig.up();
      for (const id of ids) await completedExactly(rig, id, 4);
      await rig.down();
      expect(await until(async () => (await ofThisCluster()).length === 0)).toBe(true);
    },
    TEST_MS,
  );
});

/** A child may have ended with its parent already. */
function tryToKill(pid: number): void {
  try {
    kill(pid);
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ESRCH');
  }
}
