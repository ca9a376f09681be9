/** Numbers from 0 (included) to 1 (excluded) that a seed decides (splitmix32). */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

export const wholeBelow = (random: Random, limit: number): number => Math.floor(random() * limit);

export function oneOf<T>(random: Random, values: readonly [T, ...T[]]): T {
  return values[wholeBelow(random, values.length)] ?? values[0];
}
