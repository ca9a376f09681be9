import {
  type Incident,
  type Moment,
  millisOf,
  type Recorded,
  type RunAccount,
  type RunEvent,
  type RunId,
} from '#contracts';
import { evolve } from './evolve.js';
import { type Chronicle, chronicle, emptyChronicle, lastingAt } from './incidents.js';
import { isEnded, type Run } from './run.js';
import { statusOf, summaryOf } from './status.js';

type Segment = RunAccount['segments'][number];

/** What one run did since a moment, as its events are folded one after the other. Its size does not grow with the run. */
export interface Ledger {
  readonly since: Moment;
  readonly run: Run | undefined;
  readonly chronicle: Chronicle;
  readonly segments: readonly Segment[];
  readonly earlierSegments: number;
  readonly started: number;
  readonly steps: number;
  readonly itemsDone: number;
  readonly itemsFailed: number;
  readonly deaths: number;
  readonly microDollars: number;
  /** Why items failed; the first few. */
  readonly failures: readonly { readonly itemId: string; readonly reason: string; readonly at: Moment }[];
}

const SEGMENTS_SHOWN = 100;
const FAILURES_NAMED = 5;

export const openLedger = (since: Moment): Ledger => ({
  since,
  run: undefined,
  chronicle: emptyChronicle,
  segments: [],
  earlierSegments: 0,
  started: 0,
  steps: 0,
  itemsDone: 0,
  itemsFailed: 0,
  deaths: 0,
  microDollars: 0,
  failures: [],
});

/** Goes on with the next event of the run's stream. */
export function entered(ledger: Ledger, recorded: Recorded<RunEvent>): Ledger {
  const before = ledger.run;
  const run = evolve(before, recorded);
  if (before === undefined) return { ...ledger, run };
  const next = { ...ledger, run, chronicle: chronicle(ledger.chronicle, before, run, recorded) };
  const counted =
    millisOf(recorded.event.data.at) >= millisOf(ledger.since) ? sums(next, before, run, recorded.event) : next;
  return { ...counted, ...segmentsAfter(counted, run, recorded.event) };
}

function sums(ledger: Ledger, before: Run, after: Run, event: RunEvent): Ledger {
  const failed = after.settled.failed - before.settled.failed;
  const failure = event.type === 'ItemFailed' && failed > 0 ? [event.data] : [];
  return {
    ...ledger,
    started: ledger.started + (event.type === 'SegmentStarted' ? 1 : 0),
    steps: ledger.steps + after.turns - before.turns,
    itemsDone: ledger.itemsDone + after.settled.done - before.settled.done,
    itemsFailed: ledger.itemsFailed + failed,
    deaths: ledger.deaths + after.deaths - before.deaths,
    microDollars: ledger.microDollars + after.microDollars - before.microDollars,
    failures: [...ledger.failures, ...failure].slice(0, FAILURES_NAMED),
  };
}

function segmentsAfter(
  { segments, earlierSegments, since }: Ledger,
  run: Run,
  event: RunEvent,
): Pick<Ledger, 'segments' | 'earlierSegments'> {
  if (event.type === 'SegmentStarted') {
    const { segment, at } = event.data;
    const shown = [...segments, { segment, from: at }].slice(-SEGMENTS_SHOWN);
    return { segments: shown, earlierSegments: earlierSegments + segments.length + 1 - shown.length };
  }
  const last = segments.at(-1);
  if (!last || last.to !== undefined) return { segments, earlierSegments };
  if (event.type !== 'SegmentEnded' && event.type !== 'RunPresumedDead' && !isEnded(run))
    return { segments, earlierSegments };
  const { at } = event.data;
  // What was over before the time that is reported is no part of the picture.
  if (millisOf(at) < millisOf(since)) return { segments: segments.slice(0, -1), earlierSegments: earlierSegments + 1 };
  const how = endOf(event);
  return { segments: [...segments.slice(0, -1), { ...last, to: at, ...(how && { ended: how }) }], earlierSegments };
}

function endOf(event: RunEvent): Segment['ended'] {
  if (event.type === 'SegmentEnded') return event.data.reason;
  return event.type === 'RunPresumedDead' ? 'presumed-dead' : undefined;
}

/** What is told of the run; undefined when the stream was empty. */
export function accountOf(run: RunId, ledger: Ledger, until: Moment): RunAccount | undefined {
  const now = ledger.run;
  if (!now) return undefined;
  const { name, version } = now.agent;
  const incidents = incidentsOf(ledger, until);
  return {
    run,
    agent: { name: name as RunAccount['agent']['name'], version },
    status: statusOf(now),
    summary: summaryOf(now),
    requestedAt: now.requestedAt,
    ...(isEnded(now) ? { endedAt: now.since } : {}),
    items: { total: now.items.length, ...now.settled },
    segments: [...ledger.segments],
    earlierSegments: ledger.earlierSegments,
    incidents: [...incidents],
    moreIncidents: ledger.chronicle.more,
    ...(now.price === null ? {} : { dollars: ledger.microDollars / 1_000_000 }),
  };
}

function incidentsOf({ chronicle: known, since }: Ledger, until: Moment): readonly Incident[] {
  const isIn = (moment: Moment): boolean => millisOf(moment) >= millisOf(since);
  const over = known.over.filter(({ overAt = until }) => isIn(overAt));
  // A run that ended by a cap or a failure before the time that is reported is no news of this time.
  const lasting = lastingAt(known, until).filter(({ outcome, noticedAt }) => outcome === 'open' || isIn(noticedAt));
  return [...over, ...lasting].toSorted((a, b) => millisOf(a.noticedAt) - millisOf(b.noticedAt));
}
