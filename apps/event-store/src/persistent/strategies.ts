import { crc32 } from 'node:zlib';
import type { RecordedEvent } from '../storage/event.js';
import type { StrategyName } from './definition.js';

/** A consumer as a strategy sees it. */
export interface Candidate {
  /** Of those connected now, no two have the same; later ones have higher ones. */
  readonly number: number;
  /** Whether it takes another event now. */
  readonly free: boolean;
}

/** Picks who gets an event; undefined: nobody now, though others may take other events. */
export type Strategy = <C extends Candidate>(event: RecordedEvent, consumers: readonly C[]) => C | undefined;

export function strategyOf(name: StrategyName): Strategy {
  switch (name) {
    case 'RoundRobin':
      return roundRobin();
    case 'DispatchToSingle':
      return (_, consumers) => consumers.find(({ free }) => free);
    case 'Pinned':
      return pinned(sourceStreamOf);
    case 'PinnedByCorrelation':
      return pinned((event) => correlationOf(event) ?? sourceStreamOf(event));
  }
}

/** Each in turn; who is busy is passed over. */
function roundRobin(): Strategy {
  let last = -1;
  return (_, consumers) => {
    const chosen = consumers.find(({ number, free }) => free && number > last) ?? consumers.find(({ free }) => free);
    last = chosen?.number ?? last;
    return chosen;
  };
}

/**
 * Events of one stream go to one consumer, as long as it is connected. Each consumer bids for each stream and the highest bid wins, so
 * that who comes or goes moves no other stream than its own.
 */
function pinned(keyOf: (event: RecordedEvent) => string): Strategy {
  return (event, consumers) => {
    const key = crc32(keyOf(event));
    const [first, ...others] = consumers;
    if (!first) return undefined;
    const winner = others.reduce((best, one) => (bid(key, one) > bid(key, best) ? one : best), first);
    return winner.free ? winner : undefined;
  };
}

/** A number that looks random but is the same for the same pair (the finalizer of MurmurHash3). */
function bid(key: number, { number }: Candidate): number {
  let mixed = key ^ Math.imul(number + 1, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** A link belongs to the stream that it points to. */
function sourceStreamOf({ type, data, stream }: RecordedEvent): string {
  if (type !== '$>') return stream;
  const target = Buffer.from(data).toString('utf8');
  return target.slice(target.indexOf('@') + 1);
}

function correlationOf({ metadata }: RecordedEvent): string | undefined {
  try {
    const { $correlationId: id } = (JSON.parse(Buffer.from(metadata).toString('utf8')) ?? {}) as {
      $correlationId?: unknown;
    };
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}
