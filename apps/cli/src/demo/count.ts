import { millisOf, type Recorded, type RunEvent, type RunId, type RunStatusWord } from '#contracts';
import { itemsOf, type Run, replay, statusOf } from '#domain';
import { isDeath } from '../runs/deaths.js';
import type { JournalledCall } from './journal.js';

/** What happened, from three witnesses that know nothing of each other. */
export interface Evidence {
  readonly run: RunId;
  /** The whole log of the run. */
  readonly events: readonly Recorded<RunEvent>[];
  /** The workspace's own journal of calls. */
  readonly journal: readonly JournalledCall[];
  /** The lines that the profiling command itself wrote, one for each execution. */
  readonly ledger: readonly string[];
  /** The items that have a report in the workspace. */
  readonly reported: ReadonlySet<string>;
  /** When the demo killed a process, in milliseconds since 1970; absent when it did not. */
  readonly killedAt?: number;
  /** Where the reports lie. */
  readonly report: string;
}

/** The one object that `baton demo --json` prints. */
export interface DemoResult {
  readonly run: RunId;
  readonly status: RunStatusWord;
  readonly items: { readonly total: number; readonly done: number };
  readonly segments: number;
  readonly handoffs: number;
  readonly kills: number;
  readonly recoveryMs: number | null;
  readonly effects: { readonly executed: number; readonly doubled: number; readonly lost: number };
  readonly report: string;
}

export function count(evidence: Evidence): DemoResult {
  const { events, report } = evidence;
  const run = folded(events);
  return {
    run: evidence.run,
    status: statusOf(run),
    items: { total: run.items.length, done: run.settled.done },
    segments: events.filter(({ event }) => event.type === 'SegmentStarted').length,
    handoffs: events.filter(({ event }) => event.type === 'SegmentEnded' && event.data.reason === 'handoff').length,
    kills: events.filter(isDeath).length,
    recoveryMs: recoveryMs(evidence),
    effects: { executed: executed(evidence), doubled: doubled(evidence), lost: lost(evidence, run) },
    report,
  };
}

export const isGood = ({ status, items, effects, kills }: DemoResult): boolean =>
  status === 'completed' && items.done === items.total && kills > 0 && effects.doubled === 0 && effects.lost === 0;

function folded(events: readonly Recorded<RunEvent>[]): Run {
  const history = events.reduce<ReturnType<typeof replay> | undefined>(replay, undefined);
  if (history === undefined) throw new Error('The log of the run is empty.');
  return history.run;
}

/** From the kill to the first step that the next segment recorded: a model's turn, or a call's start or end. */
function recoveryMs({ events, killedAt }: Evidence): number | null {
  if (killedAt === undefined) return null;
  const death = events.findIndex((recorded) => isDeath(recorded) && millisOf(recorded.event.data.at) >= killedAt);
  if (death < 0) return null;
  const steps = ['ModelTurnCompleted', 'ToolCallStarted', 'ToolCallCompleted', 'ToolCallSettled'];
  const first = events.slice(death).find(({ event }) => steps.includes(event.type));
  return first === undefined ? null : millisOf(first.event.data.at) - killedAt;
}

/** Executions as the commands themselves wrote them down. */
const executed = ({ ledger }: Evidence): number => ledger.length;

/**
 * Every execution beyond the first: of one item by the command's own lines, of one call by the journal's count. Both see
 * a command that ran twice, so the larger of the two is the truth or worse.
 */
function doubled({ ledger, journal }: Evidence): number {
  const byLedger = ledger.length - new Set(ledger).size;
  const byJournal = journal.reduce((sum, { executions }) => sum + Math.max(0, executions - 1), 0);
  return Math.max(byLedger, byJournal);
}

/**
 * What the log and the workspace do not agree on, each item and call once: an item that the log calls done without a line
 * in the ledger or without its report; a line of an item that is not done; a command that was executed and whose end is
 * not in the log; an end in the log of a command that the journal does not know.
 */
function lost({ events, journal, ledger, reported }: Evidence, run: Run): number {
  const profiled = new Set(ledger);
  const items = itemsOf(run).filter(({ id, state }) =>
    state === 'done' ? !profiled.has(id) || !reported.has(id) : profiled.has(id),
  );
  const ended = endedCommands(events);
  const known = new Set<string>(journal.filter(({ executions }) => executions > 0).map(({ callId }) => callId));
  const calls = [...known].filter((callId) => !ended.has(callId)).length;
  return items.length + calls + [...ended].filter((callId) => !known.has(callId)).length;
}

/** The commands whose end the log holds; the tools of items are carried out by the log itself. */
function endedCommands(events: readonly Recorded<RunEvent>[]): ReadonlySet<string> {
  const commands = new Set<string>();
  const ended = new Set<string>();
  for (const { event } of events) {
    if (event.type === 'ToolCallStarted' && event.data.tool === 'bash') commands.add(event.data.callId);
    const ends =
      event.type === 'ToolCallSettled' || (event.type === 'ToolCallCompleted' && event.data.outcome !== 'rejected');
    if (ends && commands.has(event.data.callId)) ended.add(event.data.callId);
  }
  return ended;
}
