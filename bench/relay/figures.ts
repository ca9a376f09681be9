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

export const round = (value: number, digits = 2): number => Math.round(value * 10 ** digits) / 10 ** digits;
