/** Counts what was settled; averages are over the whole time, the other count begins anew each time that it is asked. */
export class Throughput {
  private total = 0;
  private told = 0;

  constructor(
    private readonly now: () => number,
    private readonly since = now(),
  ) {}

  count(): void {
    this.total += 1;
  }

  measure(): { readonly total: number; readonly sinceLast: number; readonly perSecond: number } {
    const sinceLast = this.total - this.told;
    this.told = this.total;
    const seconds = Math.max(1, (this.now() - this.since) / 1000);
    return { total: this.total, sinceLast, perSecond: Math.round(this.total / seconds) };
  }
}

const KEPT = 1000;
const SHARES = [
  ['Quintile 1', 0.2],
  ['Quintile 2', 0.4],
  ['Quintile 3', 0.6],
  ['Quintile 4', 0.8],
  ['Quintile 5', 1],
  ['90%', 0.9],
  ['95%', 0.95],
  ['99%', 0.99],
  ['99.5%', 0.995],
  ['99.9%', 0.999],
] as const;

/** How long (ms) a consumer took for each of its last thousand events. */
export class Latencies {
  private readonly last: number[] = [];
  private next = 0;

  add(ms: number): void {
    this.last[this.next] = ms;
    this.next = (this.next + 1) % KEPT;
  }

  /** The figures that EventStoreDB gives as extra statistics, in milliseconds. */
  figures(): readonly (readonly [key: string, ms: number])[] {
    const sorted = this.last.toSorted((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
    const sum = sorted.reduce((total, ms) => total + ms, 0);
    return [
      ['Mean', Math.round(sum / Math.max(1, sorted.length))],
      ['Median', at(0.5)],
      ['Fastest', at(0)],
      ...SHARES.map(([key, share]) => [key, at(share)] as const),
      ['Highest', at(1)],
    ];
  }
}
