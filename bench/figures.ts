/** The value below which this part (0 to 1) of the values lies. @throws when there are none */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  if (value === undefined) throw new Error('Nothing was measured.');
  return value;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The waits between each moment and the next, in the moments' unit. */
export const gaps = (moments: readonly number[]): readonly number[] =>
  moments.slice(1).map((moment, place) => moment - (moments[place] ?? 0));

/** To hundredths, where nothing else is said. */
export const round = (value: number, digits = 2): number => Math.round(value * 10 ** digits) / 10 ** digits;

/** Repeats the work for this long (ms), after a tenth of that to warm up; how long each repetition took (ms). */
export async function repeatFor(ms: number, work: () => unknown): Promise<number[]> {
  const warm = performance.now() + ms / 10;
  while (performance.now() < warm) await work();
  const samples: number[] = [];
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const started = performance.now();
    await work();
    samples.push(performance.now() - started);
  }
  return samples;
}
