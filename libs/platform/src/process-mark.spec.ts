import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { until } from '#testing';
import { isGone, markOf } from './process-mark.js';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

async function born() {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  started.push(child);
  await once(child, 'spawn');
  const pid = child.pid as number;
  const mark = markOf(pid);
  if (!mark) throw new Error('The system does not tell of its processes.');
  return { child, pid, mark };
}

describe('a process with a mark', () => {
  it('is gone once it has been killed, not before, and not while it only stands still', async () => {
    const { child, pid, mark } = await born();
    expect(isGone(pid, mark)).toBe(false);
    child.kill('SIGSTOP');
    expect(isGone(pid, mark)).toBe(false);
    child.kill('SIGKILL');
    await until(() => isGone(pid, mark));
  });

  it('is gone when another one has its number', async () => {
    const [one, other] = [await born(), await born()];
    expect(isGone(other.pid, { ...one.mark, born: `${one.mark.born}0` })).toBe(true);
  });

  it('is not gone for who could not see it', async () => {
    const { child, pid, mark } = await born();
    child.kill('SIGKILL');
    await until(() => isGone(pid, mark));
    expect(isGone(pid, { ...mark, home: 'elsewhere' })).toBe(false);
  });

  it('has none when there is no such process', () => {
    expect(markOf(2 ** 30)).toBeUndefined();
  });
});
