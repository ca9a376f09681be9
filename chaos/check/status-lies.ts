import { textOf } from './calls.js';
import type { Absence, Finding, LoggedEvent, RunFacts, Sample } from './facts.js';
import { isOfProcess, type Shift, shiftsOf } from './shifts.js';

/** A status may be this old (ms). */
const STALE_MS = 2_000;
/** A process that is gone for longer than this (ms) must not be called alive. */
const PATIENCE_MS = 5_000;

const END_WORDS: Readonly<Record<string, string>> = {
  RunCompleted: 'completed',
  RunFailed: 'failed',
  RunCancelled: 'cancelled',
  RunHalted: 'halted',
};

/** Compares what was said of a run with what the log had by then. */
export function liesAbout(run: RunFacts, samples: readonly Sample[], absences: readonly Absence[]): readonly Finding[] {
  const shifts = shiftsOf(run.events);
  return samples.flatMap((sample) =>
    [...asOfLies(run, sample), ...wordLies(run, sample), ...lifeLies(shifts, sample, absences)].map(
      (what): Finding => ({
        kind: 'lie',
        run: run.id,
        what: `${what} (asked at ${new Date(sample.askedAt).toISOString()})`,
      }),
    ),
  );
}

function asOfLies({ events }: RunFacts, { revision, type, askedAt, done, failed }: Sample): readonly string[] {
  const lies: string[] = [];
  const event = events[revision];
  if (event?.type !== type)
    lies.push(`the status rests on ${type} (${revision}), where the log has ${event?.type ?? 'nothing'}`);
  const missed = events.find((later) => later.revision > revision && later.created < askedAt - STALE_MS);
  if (missed)
    lies.push(
      `the status rests on revision ${revision}, ${askedAt - missed.created} ms after the log had ${missed.type} (${missed.revision})`,
    );
  const before = events.slice(0, revision + 1);
  for (const [word, told, settled] of [
    ['done', done, 'ItemCompleted'],
    ['failed', failed, 'ItemFailed'],
  ] as const) {
    const truth = before.filter((one) => one.type === settled).length;
    if (truth !== told)
      lies.push(`the status counts ${told} items ${word} at revision ${revision}, the log has ${truth}`);
  }
  return lies;
}

function wordLies({ events }: RunFacts, { status, revision }: Sample): readonly string[] {
  const allowed = wordsAt(events.slice(0, revision + 1));
  return allowed.includes(status)
    ? []
    : [`the status is ${status} at revision ${revision}, where ${allowed.join(' or ')} is true`];
}

const RELAY: readonly string[] = [
  'RunRequested',
  'SegmentScheduled',
  'SegmentStarted',
  'SegmentEnded',
  'RunPresumedDead',
];

/** The words that are true after these events of a run in which no person interferes. */
function wordsAt(events: readonly LoggedEvent[]): readonly string[] {
  const end = events.map(({ type }) => END_WORDS[type]).find((word) => word !== undefined);
  if (end !== undefined) return [end];
  const last = events.findLast(({ type }) => RELAY.includes(type));
  switch (last?.type) {
    case 'RunRequested':
      return ['queued'];
    case 'SegmentStarted':
      return ['starting', 'working'];
    case 'RunPresumedDead':
      return ['recovering'];
    case 'SegmentEnded':
      return wordsAfter(textOf(last.data['reason']));
    case 'SegmentScheduled':
      return wordsAfter(textOf(last.data['because']));
    default:
      return [];
  }
}

/** @param why a segment ended, or the next one was scheduled */
function wordsAfter(why: string): readonly string[] {
  if (why === 'crashed' || why === 'crash' || why === 'presumed-dead') return ['recovering'];
  if (why === 'handoff' || why === 'drain') return ['handing-off'];
  // All is done, and the end is about to be recorded.
  if (why === 'finished') return ['working'];
  return why === 'requested' ? ['queued'] : ['starting'];
}

function lifeLies(shifts: readonly Shift[], sample: Sample, absences: readonly Absence[]): readonly string[] {
  const { askedAt, pid, verdict, segment } = sample;
  if (verdict !== 'alive' && verdict !== 'slow') return [];
  const shift = shifts.find((one) => one.segment === segment && one.pid === pid);
  const gone = absences.find(
    (absence) =>
      isOfProcess(absence, pid, shift?.from) &&
      absence.from < askedAt - PATIENCE_MS &&
      (absence.until ?? Number.POSITIVE_INFINITY) > askedAt,
  );
  return gone ? [`process ${gone.pid} is called ${verdict}, ${askedAt - gone.from} ms after it was gone`] : [];
}
