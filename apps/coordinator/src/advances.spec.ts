import { type RunEvent, RunId } from '#contracts';
import { createMemoryLog, type EventLog, HeardRuns, Runs } from '#log';
import { type Clock, newId, silentLogger } from '#platform';
import { runRequested, until } from '#testing';
import { Advances } from './advances.js';

let reads: string[];
let log: EventLog;
let heard: HeardRuns;
let now: number;
const clock: Clock = { now: () => now, monotonic: () => performance.now() };

beforeEach(() => {
  const memory = createMemoryLog();
  reads = [];
  log = Object.assign(Object.create(memory) as EventLog, {
    read: (stream: string, ...rest: number[]) => {
      reads.push(stream);
      return memory.read(stream, ...rest);
    },
  });
  heard = new HeardRuns();
  now = Date.now();
});

const coordinator = () => new Runs(log, { app: 'coordinator', id: 't' });
const looking = () => new Advances({ runs: coordinator(), heard, clock, logger: silentLogger });

async function requested(): Promise<RunId> {
  const runId = RunId.parse(newId());
  await new Runs(log, { app: 'gateway', id: 't' }).request(runId, runRequested(now, { runMinutes: 0.005 }));
  return runId;
}

async function hear(runId: RunId): Promise<void> {
  for await (const stored of log.read(`run-${runId}`)) heard.take(runId, stored, true);
  reads.length = 0;
}

async function typesOf(runId: RunId): Promise<readonly RunEvent['type'][]> {
  const types: RunEvent['type'][] = [];
  for await (const { event } of coordinator().events(runId)) types.push(event.type);
  return types;
}

describe('the looks at runs', () => {
  it('A1 a run that was heard of whole is not read', async () => {
    const runId = await requested();
    await hear(runId);
    await looking().advance(runId);
    expect(reads).toEqual([]);
    expect(await typesOf(runId)).toEqual(['RunRequested', 'SegmentScheduled']);
    await hear(runId);
    looking().nudge(runId);
    expect(reads).toEqual([]);
  });

  it('A1 a doorbell is not answered by what was heard when the log has more', async () => {
    const runId = await requested();
    await looking().advance(runId);
    await hear(runId);
    const by = { at: new Date(now).toISOString(), by: 'a test' };
    await new Runs(log, { app: 'gateway', id: 't' }).change(runId, () => [{ type: 'CancelRequested', data: by }]);
    await looking().advance(runId);
    expect((await typesOf(runId)).at(-1)).toBe('RunCancelled');
  });

  it('A1 what is decided by what was heard is decided again when the log has more', async () => {
    const runId = await requested();
    await hear(runId);
    await looking().advance(runId);
    await looking().advance(runId);
    expect(await typesOf(runId)).toEqual(['RunRequested', 'SegmentScheduled']);
  });

  it('A4 a segment that nobody takes up is looked at again when the minutes of its run are over', async () => {
    const runId = await requested();
    const advances = looking();
    // The one look that schedules it; no doorbell comes after it.
    await advances.advance(runId);
    expect(await typesOf(runId)).toEqual(['RunRequested', 'SegmentScheduled']);
    now += 1_000;
    await until(async () => (await typesOf(runId)).includes('RunHalted'));
    advances.stop();
  });
});
