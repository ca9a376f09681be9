import fc from 'fast-check';
import { Ledger } from './ledger.js';

const BOUNDS = { minCheckpointCount: 3, maxCheckpointCount: 10 };
const read = (ledger: Ledger, places: readonly number[], skipped = 0) =>
  ledger.read(places, { passed: places.at(-1) ?? ledger.passed + skipped, skipped });

describe('the ledger of a group', () => {
  it('never passes an open place, whatever the order in which events are settled', () => {
    const events = fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { maxLength: 60 });
    const property = fc.property(events, fc.infiniteStream(fc.nat()), (order, random) => {
      const places = order.toSorted((a, b) => a - b);
      const ledger = new Ledger(-1, BOUNDS);
      read(ledger, places);
      const open = new Set(places);
      const shuffled = order.toSorted(() => ((random.next().value as number) % 2 === 0 ? -1 : 1));
      for (const place of shuffled) {
        ledger.settle(place);
        ledger.settle(place);
        open.delete(place);
        const lowest = Math.min(...open, Number.MAX_SAFE_INTEGER);
        expect(ledger.safe).toBeLessThan(lowest);
        const below = places.filter((one) => one < lowest);
        expect(ledger.safe).toBe(open.size === 0 ? places.at(-1) : (below.at(-1) ?? -1));
      }
    });
    fc.assert(property);
  });

  it('asks for a checkpoint at the upper bound, and in time from the lower bound on', () => {
    const ledger = new Ledger(-1, BOUNDS);
    read(ledger, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const asked: string[] = [];
    for (let place = 0; place < 10; place += 1) {
      ledger.settle(place);
      asked.push(`${ledger.due ? 'due' : ''}${ledger.overdue ? ' overdue' : ''}`);
    }
    expect(asked).toEqual(['', '', ...Array(7).fill('due'), 'due overdue']);
  });

  it('counts what was settled while a checkpoint was written, and what one open event had held back', () => {
    const ledger = new Ledger(-1, BOUNDS);
    read(ledger, [0, 1, 2, 3, 4, 5]);
    for (const place of [0, 2, 3, 4]) ledger.settle(place);
    const mark = ledger.mark();
    expect(mark.place).toBe(0);
    ledger.settle(1);
    ledger.checkpointed(mark);
    expect(ledger.safe).toBe(4);
    expect(ledger.due).toBe(true);
  });

  it('asks for none because of a few events that were left out', () => {
    const ledger = new Ledger(-1, { minCheckpointCount: 0, maxCheckpointCount: 0 });
    read(ledger, [], 999);
    expect(ledger.due).toBe(false);
    read(ledger, [], 1);
    expect(ledger.due).toBe(true);
  });
});
