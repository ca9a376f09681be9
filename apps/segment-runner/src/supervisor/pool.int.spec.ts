import { type ChildProcess, spawn } from 'node:child_process';
import { silentLogger } from '#platform';
import { until } from '#testing';
import { Pool } from './pool.js';

const started: ChildProcess[] = [];
let pool: Pool | undefined;
afterEach(async () => {
  await pool?.stop(1_000);
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

const child = (says: string, program = process.execPath): ChildProcess => {
  const words = ['-e', `process.send({ type: '${says}' }); process.on('disconnect', () => process.exit())`];
  const made = spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  started.push(made);
  return made;
};

/** A pool whose first child is this one, and whose others are as they should be. */
const pooling = (first: () => ChildProcess, size: number): Pool =>
  new Pool({
    fork: () => (started.length === 0 ? first() : child('idle')),
    size,
    segmentsPerChild: 50,
    hungMs: 60_000,
    runnerId: 'a-runner',
    logger: silentLogger,
  });

describe('a pool', () => {
  it('goes on without a child that says what no child says, and replaces it', async () => {
    pool = pooling(() => child('nonsense'), 2);
    await until(() => pool?.free() === 2);
    expect(pool.processes()).toHaveLength(2);
    await until(() => started[0]?.signalCode === 'SIGKILL');
  });

  it('replaces a child that could not be started', async () => {
    pool = pooling(() => child('idle', '/nowhere/node'), 1);
    await until(() => pool?.free() === 1);
    expect(started).toHaveLength(2);
  });
});
