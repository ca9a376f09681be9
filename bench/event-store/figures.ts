/** The value below which this share of the samples lies, to the microsecond. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

export const round = (value: number): number => Math.round(value * 1000) / 1000;

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
