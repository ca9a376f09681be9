import fc from 'fast-check';
import { openStorage } from './database.js';
import { EventLog } from './event-log.js';
import type { Filter } from './filter.js';
import { type Direction, Reader } from './reader.js';

const TYPES = ['A', 'B', 'C', 'Rare'];
const STREAMS = ['one', 'two', 'three'];
const COUNT = 5000;

/** Most events are of one type, so that both ways to find the others are taken. */
const typeOf = (n: number): string => (n % 1700 === 0 ? 'Rare' : n > 3000 ? 'A' : (TYPES[n % 3] ?? 'A'));
const streamOf = (n: number): string => STREAMS[n % STREAMS.length] ?? 'one';

const opened = openStorage({ sync: 'full' });
const log = new EventLog(opened.database, Date.now);
const reader = new Reader(opened.database, log, Date.now);
const all: { type: string; stream: string; position: number }[] = [];

beforeAll(async () => {
  const empty = new Uint8Array(0);
  const appends = Array.from({ length: COUNT }, (_, n) => {
    const id = crypto.getRandomValues(new Uint8Array(16));
    const event = { id, type: typeOf(n), json: true, metadata: empty, data: empty };
    all.push({ type: typeOf(n), stream: streamOf(n), position: n + 1 });
    return log.append({ stream: streamOf(n), expected: 'any', events: [event] });
  });
  await Promise.all(appends);
});
afterAll(() => opened.close());

function pageThrough(beyond: number, direction: Direction, filter: Filter, limit: number): number[] {
  const found: number[] = [];
  for (let from = beyond; ; ) {
    const page = reader.readFiltered(from, direction, filter, { limit, window: Number.MAX_SAFE_INTEGER });
    found.push(...page.events.map(({ position }) => position));
    if (page.end) return found;
    expect(page.considered).not.toBe(from);
    from = page.considered;
  }
}

describe('$all through a filter', () => {
  it('brings exactly the events that match, in order, in both directions, whatever the page size', () => {
    const property = fc.property(
      fc.constantFrom<Direction>('forwards', 'backwards'),
      fc.constantFrom<'type' | 'stream'>('type', 'stream'),
      fc.subarray([...TYPES, ...STREAMS, 'Never']),
      fc.integer({ min: 0, max: COUNT + 1 }),
      fc.integer({ min: 7, max: 600 }),
      (direction, on, wanted, beyond, limit) => {
        const accepts = (name: string) => wanted.includes(name);
        const matching = all.filter((event) => accepts(event[on])).map(({ position }) => position);
        const expected =
          direction === 'forwards'
            ? matching.filter((position) => position > beyond)
            : matching.filter((position) => position < beyond).toReversed();
        expect(pageThrough(beyond, direction, { on, accepts }, limit)).toEqual(expected);
      },
    );
    fc.assert(property, { numRuns: 60 });
  });
});
