import type { ConsumerState } from '#bus';
import { type Clock, systemClock } from '#platform';
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

/** A clock that moves by so many milliseconds whenever it is read. */
function ticking(stepMs: number): Clock {
  let now = 0;
  const monotonic = (): number => (now += stepMs);
  return { ...systemClock, monotonic };
}

const soonest = (): number => 0;

describe('a successor', () => {
  it('is there when a free process waits for a segment', async () => {
    const bus = busThatSays(0, 0, 1);
    await successor({ bus, clock: ticking(1), random: soonest, siblings: 4 });
    expect(bus.asked()).toBe(3);
  });

  it('is there for as many of the siblings as there are free processes, by chance', async () => {
    const bus = busThatSays(1, 2, 3);
    await successor({ bus, clock: ticking(1), random: () => 0.6, siblings: 4 });
    expect(bus.asked()).toBe(3);
  });

  it('is looked for also after the bus was away', async () => {
    const bus = busThatSays(undefined, 0, undefined, 2);
    await successor({ bus, clock: ticking(1), random: soonest, siblings: 4 });
    expect(bus.asked()).toBe(4);
  });

  it('is waited for fifteen seconds and no longer', async () => {
    const bus = busThatSays(0);
    await successor({ bus, clock: ticking(5_000), random: soonest, siblings: 4 });
    expect(bus.asked()).toBe(2);
  });
});
