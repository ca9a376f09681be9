import { ALL, Wakeups } from './wakeups.js';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function listening(wakeups: Wakeups, ...streams: readonly string[]): string[] {
  const woken: string[] = [];
  for (const stream of streams) wakeups.next(stream, () => woken.push(stream));
  return woken;
}

describe('who waits at the end of a stream', () => {
  it('is woken after the turn in which a commit was answered', async () => {
    const wakeups = new Wakeups();
    const woken = listening(wakeups, 'a', 'b', ALL);
    wakeups.touch('a');
    wakeups.ring();
    expect(woken).toEqual([]);
    await nextTurn();
    expect(woken).toEqual(['a', ALL]);
  });

  it('is woken once for all commits of a turn', async () => {
    const wakeups = new Wakeups();
    const woken = listening(wakeups, 'a', ALL);
    for (const stream of ['a', 'b', 'a']) {
      wakeups.touch(stream);
      wakeups.ring();
    }
    await nextTurn();
    expect(woken).toEqual(['a', ALL]);
  });

  it('is woken by a commit that another one, which was not made, follows at once', async () => {
    const wakeups = new Wakeups();
    const woken = listening(wakeups, 'a', 'b');
    wakeups.touch('a');
    wakeups.ring();
    wakeups.touch('b');
    wakeups.forget();
    await nextTurn();
    expect(woken).toEqual(['a']);
  });

  it('hears of a commit that was made before it began to wait and not told yet', async () => {
    const wakeups = new Wakeups();
    wakeups.touch('a');
    wakeups.ring();
    const woken = listening(wakeups, 'a');
    await nextTurn();
    expect(woken).toEqual(['a']);
  });
});
