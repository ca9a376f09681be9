import { createMemoryLog } from '#log';
import { silentLogger } from '#platform';
import { aNewEvent } from '#testing';
import { LogIndex } from './log-index.js';

describe('an index over the log', () => {
  it('reads once for all who ask at the same time, and is never older than their question', async () => {
    const memory = createMemoryLog();
    let [reads, atOnce] = [0, 0];
    const log = Object.assign(Object.create(memory) as typeof memory, {
      async *readAll(...which: Parameters<typeof memory.readAll>) {
        reads += 1;
        atOnce += 1;
        expect(atOnce).toBe(1);
        await new Promise(setImmediate);
        yield* memory.readAll(...which);
        atOnce -= 1;
      },
    });
    const taken: string[] = [];
    const event = () => ({ ...aNewEvent(), type: 'Counted' });
    const index = new LogIndex(log, ['Counted'], ({ id }) => taken.push(id), silentLogger);
    await memory.append('a', [event()], 'any');
    const first = index.catchUp();
    await new Promise(setImmediate);
    await memory.append('a', [event()], 'any');
    await Promise.all([...Array.from({ length: 10 }, () => index.catchUp()), first]);
    expect([reads, taken.length]).toEqual([2, 2]);
  });

  it('is asked again after the log was away', async () => {
    const memory = createMemoryLog();
    let isAway = true;
    const log = Object.assign(Object.create(memory) as typeof memory, {
      readAll: (...which: Parameters<typeof memory.readAll>) => {
        if (isAway) throw new Error('The log is away.');
        return memory.readAll(...which);
      },
    });
    const index = new LogIndex(log, ['Counted'], () => undefined, silentLogger);
    await expect(index.catchUp()).rejects.toThrow('away');
    isAway = false;
    await index.catchUp();
  });
});
