import fc from 'fast-check';
import type { RecordedEvent } from '../storage/event.js';
import { type Candidate, strategyOf } from './strategies.js';

const event = (stream: string, more: Partial<RecordedEvent> = {}): RecordedEvent => ({
  id: new Uint8Array(16),
  type: 'Happened',
  json: true,
  metadata: new Uint8Array(0),
  data: new Uint8Array(0),
  position: 1,
  stream,
  revision: 0,
  created: 0,
  ...more,
});
const consumers = (...free: boolean[]): Candidate[] => free.map((one, number) => ({ number, free: one }));
const chosen = (
  name: Parameters<typeof strategyOf>[0],
  all: readonly Candidate[],
  events: readonly RecordedEvent[],
) => {
  const choose = strategyOf(name);
  return events.map((one) => choose(one, all)?.number);
};
const three = [event('a'), event('b'), event('c'), event('d')];

describe('strategies', () => {
  it.each(['RoundRobin', 'DispatchToSingle', 'Pinned', 'PinnedByCorrelation'] as const)(
    '%s chooses nobody who is busy, and nobody when there is nobody',
    (name) => {
      const property = fc.property(fc.array(fc.boolean(), { maxLength: 5 }), fc.string(), (free, stream) => {
        const all = consumers(...free);
        const choice = strategyOf(name)(event(stream), all);
        expect(choice?.free ?? true).toBe(true);
        if (!free.includes(true)) expect(choice).toBeUndefined();
      });
      fc.assert(property);
    },
  );

  it('RoundRobin goes round, past the busy', () => {
    expect(chosen('RoundRobin', consumers(true, true, true), three)).toEqual([0, 1, 2, 0]);
    expect(chosen('RoundRobin', consumers(true, false, true), three)).toEqual([0, 2, 0, 2]);
  });

  it('DispatchToSingle stays with the first that is free', () => {
    expect(chosen('DispatchToSingle', consumers(false, true, true), three)).toEqual([1, 1, 1, 1]);
  });

  it('Pinned gives a stream to one consumer, however many come or go', () => {
    const streams = Array.from({ length: 1000 }, (_, n) => event(`stream-${n}`));
    const before = chosen('Pinned', consumers(true, true, true), streams);
    const after = chosen('Pinned', consumers(true, true, true, true), streams);
    for (const number of [0, 1, 2]) expect(before.filter((one) => one === number).length).toBeGreaterThan(250);
    expect(after.every((one, n) => one === 3 || one === before[n])).toBe(true);
    expect(after.filter((one) => one === 3).length).toBeGreaterThan(150);
  });

  it('Pinned counts a link to the stream that it points to', () => {
    const all = consumers(true, true, true, true, true);
    const links = [0, 1, 2].map((n) => event('$ce-x', { type: '$>', data: Buffer.from(`${n}@x-7`) }));
    expect(new Set(chosen('Pinned', all, [...links, event('x-7')])).size).toBe(1);
  });

  it('PinnedByCorrelation goes by the correlation id, and by the stream when there is none', () => {
    const all = consumers(true, true, true, true, true, true, true);
    const metadata = Buffer.from(JSON.stringify({ $correlationId: 'one' }));
    const correlated = ['a', 'b', 'c', 'd', 'e'].map((stream) => event(stream, { metadata }));
    expect(new Set(chosen('PinnedByCorrelation', all, correlated)).size).toBe(1);
    const broken = ['{', 'null', '7', '{"$correlationId":7}'].map((text) =>
      event('a', { metadata: Buffer.from(text) }),
    );
    expect(new Set(chosen('PinnedByCorrelation', all, [...broken, event('a')])).size).toBe(1);
  });
});
