import type { ConsumerState } from '#bus';
import { successor } from './successor.js';

/** A bus that says one after the other, and the last for ever; undefined: it does not answer. */
function busThatSays(...states: readonly (number | undefined)[]) {
  let asked = 0;
  const consumerState = async (): Promise<ConsumerState> => {
    const waiting = states[Math.min(asked, states.length - 1)];
    asked += 1;
    if (waiting === undefined) throw new Error('the bus is away');
    return { pending: 0, ackPending: 4, waiting };
  };
  return { consumerState, asked: () => asked };
}

const soonest = (): number => 0;

describe('a successor', () => {
  it('is there when a free process waits for a segment', async () => {
    const bus = busThatSays(0, 0, 1);
    await successor(bus, soonest, 60_000);
    expect(bus.asked()).toBe(3);
  });

  it('is looked for also after the bus was away', async () => {
    const bus = busThatSays(undefined, 0, undefined, 2);
    await successor(bus, soonest, 60_000);
    expect(bus.asked()).toBe(4);
  });

  it('is not waited for longer than the limit', async () => {
    const bus = busThatSays(0);
    await successor(bus, soonest, 120);
    expect(bus.asked()).toBeGreaterThan(0);
  });
});
