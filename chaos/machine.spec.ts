import { unheardFrom } from './machine.js';

describe('a machine whose packets are dropped', () => {
  it('is not heard from then on when nothing leaves it', () => {
    expect([unheardFrom(5_000, []), unheardFrom(5_000, [], 'up')]).toEqual([5_000, 5_000]);
  });

  it('is heard when only nothing reaches it, until a connection breaks', () => {
    expect(unheardFrom(5_000, [1_000, 3_999], 'down')).toBeUndefined();
    expect(unheardFrom(5_000, [1_000, 7_000, 9_000], 'down')).toBe(7_000);
    expect(unheardFrom(5_000, [1_000, 4_999], 'down')).toBe(5_000);
  });
});
