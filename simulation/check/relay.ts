import { type RunEvent, TERMINAL_EVENTS } from '#contracts';
import type { Account } from './account.js';

const ENDS: ReadonlySet<string> = new Set(TERMINAL_EVENTS);
const PROGRESS: ReadonlySet<string> = new Set([
  'ModelTurnCompleted',
  'ContextCompacted',
  'ItemCompleted',
  'ItemFailed',
  'ToolCallCompleted',
  'ToolCallSettled',
]);
const RECORDERS: Readonly<Record<string, string>> = {
  SegmentScheduled: 'service',
  RunCompleted: 'service',
  RunFailed: 'service',
  RunCancelled: 'service',
  RunHalted: 'service',
  ApprovalExpired: 'service',
  RunPresumedDead: 'service',
  RunRequested: 'user',
  MessageReceived: 'user',
  ApprovalGranted: 'user',
  ApprovalDenied: 'user',
  CancelRequested: 'user',
  PauseRequested: 'user',
  ResumeRequested: 'user',
};

/** Where the baton is, as far as a stranger can read it from the log. */
interface Baton {
  readonly broken: string[];
  scheduled: number;
  live: number | undefined;
  /** The segment that nobody has begun or ended yet. */
  waiting: number | undefined;
  progressed: boolean;
  /** Segments in a row that died without a step. */
  fruitless: number;
  ended: boolean;
}

/** Laws 3, 9 and 10: one segment at a time, one end, and no count of restarts that were none. */
export function relayFaults({ entries }: Account): string[] {
  const baton: Baton = {
    broken: [],
    scheduled: 0,
    live: undefined,
    waiting: undefined,
    progressed: false,
    fruitless: 0,
    ended: false,
  };
  for (const { event, revision, recorder } of entries) {
    const wanted = RECORDERS[event.type] ?? 'segment';
    if (recorder !== wanted) baton.broken.push(`${revision}@run, a ${event.type}, was recorded by a ${recorder}.`);
    if (baton.ended) baton.broken.push(`${revision}@run, a ${event.type}, came after the end of the run.`);
    step(baton, event, revision);
  }
  if (!baton.ended) baton.broken.push('The run has no end.');
  return baton.broken;
}

function step(baton: Baton, event: RunEvent, revision: number): void {
  const say = (what: string): void => void baton.broken.push(`${what} (${revision}@run).`);
  if (ENDS.has(event.type)) {
    if (baton.live !== undefined) say(`The run ended while segment ${baton.live} was at work`);
    baton.ended = true;
    return;
  }
  switch (event.type) {
    case 'SegmentScheduled':
      return scheduled(baton, event.data, say);
    case 'SegmentStarted':
      if (baton.waiting !== event.data.segment) say(`Segment ${event.data.segment} began without being waited for`);
      baton.live = event.data.segment;
      baton.waiting = undefined;
      baton.progressed = false;
      return;
    case 'RunPresumedDead':
      return died(baton, event.data.segment, say);
    case 'SegmentEnded':
      if (event.data.reason === 'crashed') return died(baton, event.data.segment, say);
      if (baton.live !== event.data.segment) say(`Segment ${event.data.segment} ended and was not at work`);
      baton.live = undefined;
      baton.fruitless = 0;
      return;
    default:
      if (!('segment' in event.data)) return;
      if (event.data.segment !== baton.live)
        say(
          `A ${event.type} of segment ${event.data.segment} was recorded while ${baton.live ?? 'no segment'} was at work`,
        );
      baton.progressed ||= PROGRESS.has(event.type);
  }
}

function scheduled(
  baton: Baton,
  { segment, restartsWithoutProgress }: { readonly segment: number; readonly restartsWithoutProgress: number },
  say: (what: string) => void,
): void {
  if (baton.live !== undefined) say(`Segment ${segment} was scheduled while ${baton.live} was at work`);
  if (baton.waiting !== undefined) say(`Segment ${segment} was scheduled while ${baton.waiting} waited`);
  if (segment !== baton.scheduled + 1) say(`Segment ${segment} was scheduled after ${baton.scheduled}`);
  if (restartsWithoutProgress !== baton.fruitless) {
    say(
      `Segment ${segment} counts ${restartsWithoutProgress} restarts without progress, there were ${baton.fruitless}`,
    );
  }
  baton.scheduled = segment;
  baton.waiting = segment;
}

function died(baton: Baton, segment: number, say: (what: string) => void): void {
  if (baton.live !== segment && baton.waiting !== segment) say(`Segment ${segment} died and was not at work`);
  baton.fruitless = baton.live !== undefined && baton.progressed ? 0 : baton.fruitless + 1;
  baton.live = undefined;
  baton.waiting = undefined;
}
