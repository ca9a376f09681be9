import { type RunEvent, TERMINAL_EVENTS } from '#contracts';
import { restartBackoffMs } from '#domain';
import type { Account } from './account.js';

const ENDS: ReadonlySet<string> = new Set(TERMINAL_EVENTS);
/** How long the coordinator may take when it should act at once, in milliseconds. */
const PROMPT_MS = 1_000;
/** What was done to the world is felt for so long. */
const FELT_MS = 15_000;
/** How much later a run may end for one death, of a process or a machine. */
const LATE_FOR_ONE_DEATH_MS = 15_000;
const DEATHS: ReadonlySet<string> = new Set(['crash', 'power-off']);

/** Nobody's wake-up is dropped: what could be noticed at once is not left to the next round, and one death costs little. */
export function promptnessFaults(account: Account, endsAt: number): string[] {
  const { disturbances } = account.ledger;
  const [first, ...more] = disturbances;
  const end = account.entries.find(({ event }) => ENDS.has(event.type));
  const lateMs = (end?.at ?? 0) - endsAt;
  const onlyDeath = first !== undefined && more.length === 0 && DEATHS.has(first.kind);
  const late =
    onlyDeath && lateMs > LATE_FOR_ONE_DEATH_MS ? [`One ${first.kind} has cost ${Math.round(lateMs)} ms.`] : [];
  return [...late, ...slowReactions(account)];
}

interface Asked {
  readonly at: number;
  readonly type: string;
  readonly patienceMs: number;
}

function slowReactions({ entries, ledger }: Account): string[] {
  const slow: string[] = [];
  let live = false;
  let asked: Asked | undefined;
  for (const { event, at } of entries) {
    if (asked && (event.type === 'SegmentScheduled' || ENDS.has(event.type))) {
      const tookMs = at - asked.at;
      const calm = isCalm(ledger.disturbances, asked.at, at);
      if (calm && tookMs > asked.patienceMs)
        slow.push(`After ${asked.type} nothing was decided for ${Math.round(tookMs)} ms.`);
      asked = undefined;
    }
    live = isLiveAfter(event, live);
    // While a segment is taken to be at work, there is nothing to decide.
    if (!live) asked ??= askedBy(event, at);
  }
  return slow;
}

function isLiveAfter({ type }: RunEvent, live: boolean): boolean {
  if (type === 'SegmentStarted') return true;
  return type === 'SegmentEnded' || type === 'RunPresumedDead' ? false : live;
}

function askedBy(event: RunEvent, at: number): Asked | undefined {
  if (!asksForDecision(event)) return undefined;
  return { at, type: event.type, patienceMs: PROMPT_MS + (isDeath(event) ? restartBackoffMs(LONGEST_ROW) : 0) };
}

/** A back-off after so many deaths in a row is still waited for. */
const LONGEST_ROW = 2;

const isDeath = (event: RunEvent): boolean =>
  event.type === 'RunPresumedDead' || (event.type === 'SegmentEnded' && event.data.reason === 'crashed');

function asksForDecision(event: RunEvent): boolean {
  if (event.type === 'SegmentEnded') return event.data.reason !== 'waiting' && event.data.reason !== 'paused';
  return event.type === 'RunRequested' || event.type === 'RunPresumedDead' || event.type === 'ApprovalGranted';
}

/** Nothing but one death, before that time, can still be felt in it. */
function isCalm(disturbances: Account['ledger']['disturbances'], from: number, to: number): boolean {
  const felt = disturbances.filter(
    ({ at, until, kind }) => kind === 'clock-jumps' || (at <= to && until + FELT_MS >= from),
  );
  return felt.length === 0 || (felt.length === 1 && felt.every(({ at, kind }) => DEATHS.has(kind) && at <= from));
}
