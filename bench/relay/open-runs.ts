import { AgentSpec, type GatewayRunEvent, momentOf, type RunEvent, RunId, SCHEMA_VERSION, streams } from '#contracts';
import type { EventLog } from '#log';
import { newId, sha256 } from '#platform';
import { benchAgent } from './agents.js';

const WRITERS = 50;
/** Larger than any process number. */
const NO_PROCESS = 2 ** 30;

/** What each open run waits for: its next segment, a doorbell for the one that is scheduled, or to be found dead first. */
export interface Expected {
  readonly scheduled: readonly RunId[];
  readonly rung: readonly RunId[];
  readonly dead: readonly RunId[];
}

type Kind = keyof Expected | 'resting';
/** Of ten runs: four were just asked for, two are between two segments, two wait for a runner, one lost it, one rests. */
const KINDS: readonly (readonly [Kind, (at: string) => readonly RunEvent[]])[] = [
  ['scheduled', () => []],
  ['scheduled', () => []],
  ['scheduled', () => []],
  ['scheduled', () => []],
  ['scheduled', (at) => [...begun(at), ended(at, 'handoff')]],
  ['scheduled', (at) => [...begun(at), ended(at, 'drain')]],
  ['rung', (at) => [schedule(at)]],
  ['rung', (at) => [schedule(at)]],
  ['dead', (at) => begun(at)],
  ['resting', (at) => [...begun(at), { type: 'PauseRequested', data: { at, by: 'bench' } }, ended(at, 'paused')]],
];

const schedule = (at: string, segment = 1): RunEvent => ({
  type: 'SegmentScheduled',
  data: { at, segment, because: 'requested', restartsWithoutProgress: 0 },
});

const begun = (at: string, segment = 1): readonly RunEvent[] => {
  const runner = { runnerId: 'bench', host: 'bench', pid: NO_PROCESS };
  const deadline = momentOf(Date.parse(at) + 600_000);
  return [schedule(at, segment), { type: 'SegmentStarted', data: { at, segment, runner, deadline } }];
};

const ended = (at: string, reason: 'handoff' | 'drain' | 'paused' | 'finished', segment = 1): RunEvent => ({
  type: 'SegmentEnded',
  data: { at, segment, reason },
});

/** Writes so many open runs, of all phases in turn. */
export async function writeOpenRuns(log: EventLog, runs: number): Promise<Expected> {
  const spec = AgentSpec.parse(benchAgent('reconcile', 0));
  const expected: Record<Kind, RunId[]> = { scheduled: [], rung: [], dead: [], resting: [] };
  await writeRuns(log, runs, (runId, at, nth) => {
    const [kind, more] = KINDS[nth % KINDS.length] ?? ['resting', () => []];
    expected[kind].push(runId);
    return [requested(at, spec), ...more(at)];
  });
  return expected;
}

/** Writes so many runs that have handed off once and are over. @returns how many relay events that are */
export async function writeEndedRuns(log: EventLog, runs: number): Promise<number> {
  const spec = AgentSpec.parse(benchAgent('reconcile', 0));
  let written = 0;
  await writeRuns(log, runs, (_, at) => {
    const items = { total: 1, done: 1, failed: 0 };
    const events: readonly RunEvent[] = [
      requested(at, spec),
      ...begun(at, 1),
      ended(at, 'handoff', 1),
      ...begun(at, 2),
      ended(at, 'finished', 2),
      { type: 'RunCompleted', data: { at, items, result: '' } },
    ];
    written += events.length;
    return events;
  });
  return written;
}

async function writeRuns(
  log: EventLog,
  runs: number,
  eventsOf: (runId: RunId, at: string, nth: number) => readonly RunEvent[],
): Promise<void> {
  let next = 0;
  const write = async (): Promise<void> => {
    for (let nth = next++; nth < runs; nth = next++) {
      const runId = RunId.parse(newId());
      await append(log, runId, eventsOf(runId, momentOf(Date.now()), nth));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}

function requested(at: string, spec: AgentSpec): GatewayRunEvent {
  const agent = { name: spec.name, version: 1, spec, files: [] };
  const items = [{ id: 'one', input: null }];
  return { type: 'RunRequested', data: { at, agent, caps: spec.caps, items, requestDigest: sha256(''), by: 'bench' } };
}

async function append(log: EventLog, runId: RunId, events: readonly RunEvent[]): Promise<void> {
  const actor = { kind: 'user', id: 'bench' };
  const metadata = { tenant: 'default', correlationId: runId, actor, schemaVersion: SCHEMA_VERSION };
  await log.append(
    streams.run(runId),
    events.map((event) => ({ id: newId(), ...event, metadata })),
    'absent',
  );
}
