import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { z } from 'zod';
import { ModelPrice, Moment, Usage, type UsageAnswer, type UsageQuery } from '#contracts';
import { costOf, isFree } from '#domain';
import { type EventLog, type StoredEvent } from '#log';
import { type Logger } from '#platform';
import { LogIndex } from '../log-index.js';
import { EVENT_LOG, LOGGER } from '../tokens.js';

type Counted = Omit<UsageAnswer['total'], 'dollars'> & { readonly microDollars: number };

const NOTHING: Counted = {
  runs: 0,
  turns: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  microDollars: 0,
  unpricedTokens: 0,
};

/** What has to be known of a run to say for whom it pays, and how much. */
interface Payer {
  readonly agent: string;
  readonly tenant: string;
  /** Nobody is paid for its model. */
  readonly free: boolean;
  price: ModelPrice | undefined;
}

/** Only what counts is read of an event: turns may be large. */
const Requested = z.object({
  at: Moment,
  agent: z.object({ name: z.string(), spec: z.object({ model: z.object({ name: z.string() }) }) }),
});
const Started = z.object({ price: ModelPrice.optional() });
const Spent = z.object({ at: Moment, usage: Usage });
const Owned = z.object({ tenant: z.string() });

const TYPES = ['RunRequested', 'SegmentStarted', 'ModelTurnCompleted', 'ContextCompacted'] as const;
const DAY_CHARACTERS = '2026-01-05'.length;

/**
 * What was used, by agent, tenant and day: a sum for each, however many runs and turns there are. Beside the sums it
 * remembers of every run who pays for it. It reads the log when it is asked, from where it was asked last.
 */
@Injectable()
export class UsageIndex implements OnModuleDestroy {
  private readonly payers = new Map<string, Payer>();
  /** By day, then by tenant and agent. */
  private readonly days = new Map<string, Map<string, { readonly payer: Payer; counted: Counted }>>();
  private readonly prices = new Map<string, ModelPrice>();
  private readonly index: LogIndex;

  constructor(@Inject(EVENT_LOG) log: EventLog, @Inject(LOGGER) logger: Logger) {
    this.index = new LogIndex(log, TYPES, (event) => this.apply(event), logger);
  }

  onModuleDestroy(): void {
    this.index.close();
  }

  /** @throws Unavailable when the log does not answer */
  async answer({ by, since }: UsageQuery): Promise<UsageAnswer> {
    await this.index.catchUp();
    const sums = new Map<string, Counted>();
    for (const [day, counts] of this.days) {
      if (since !== undefined && day < since) continue;
      for (const { payer, counted } of counts.values()) sums.set(payer[by], plus(sums.get(payer[by]), counted));
    }
    const rows = [...sums]
      .toSorted(([, a], [, b]) => b.microDollars - a.microDollars || b.outputTokens - a.outputTokens)
      .map(([name, counted]) => ({ name, ...inDollars(counted) }));
    const total = inDollars([...sums.values()].reduce<Counted>(plus, NOTHING));
    return { by, ...(since === undefined ? {} : { since }), rows, total };
  }

  /** An event that cannot be read counts nothing; the run itself says what is wrong with it. */
  private apply({ stream, type, data, metadata }: StoredEvent): void {
    const requested = type === 'RunRequested' ? Requested.safeParse(data).data : undefined;
    if (requested) {
      const tenant = Owned.safeParse(metadata).data?.tenant ?? '';
      const payer = { agent: requested.agent.name, tenant, free: isFree(requested), price: undefined };
      this.payers.set(stream, payer);
      this.count(payer, requested.at, { ...NOTHING, runs: 1 });
      return;
    }
    const payer = this.payers.get(stream);
    if (!payer) return;
    if (type === 'SegmentStarted') {
      payer.price = this.known(Started.safeParse(data).data?.price);
      return;
    }
    const spent = Spent.safeParse(data).data;
    if (spent) this.count(payer, spent.at, countedOf(spent.usage, payer, type === 'ModelTurnCompleted' ? 1 : 0));
  }

  private count(payer: Payer, at: string, counted: Counted): void {
    const day = at.slice(0, DAY_CHARACTERS);
    const counts = this.days.get(day) ?? new Map<string, { readonly payer: Payer; counted: Counted }>();
    this.days.set(day, counts);
    const key = JSON.stringify([payer.tenant, payer.agent]);
    const before = counts.get(key);
    if (before) before.counted = plus(before.counted, counted);
    else counts.set(key, { payer, counted });
  }

  /** One object for each price, however many runs have it. */
  private known(price: ModelPrice | undefined): ModelPrice | undefined {
    if (price === undefined) return undefined;
    const text = JSON.stringify(price);
    const known = this.prices.get(text) ?? price;
    this.prices.set(text, known);
    return known;
  }
}

function countedOf(usage: Usage, { free, price }: Payer, turns: number): Counted {
  const tokens = usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const paid = price ? { microDollars: costOf(usage, price) } : { unpricedTokens: free ? 0 : tokens };
  return { ...NOTHING, ...usage, turns, ...paid };
}

const plus = (a: Counted = NOTHING, b: Counted): Counted => ({
  runs: a.runs + b.runs,
  turns: a.turns + b.turns,
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
  cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
  microDollars: a.microDollars + b.microDollars,
  unpricedTokens: a.unpricedTokens + b.unpricedTokens,
});

const inDollars = ({ microDollars, ...counted }: Counted): UsageAnswer['total'] => ({
  ...counted,
  dollars: microDollars / 1_000_000,
});
