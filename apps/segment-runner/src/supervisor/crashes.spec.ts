import { momentOf, type RunEvent, RunId, streams } from '#contracts';
import { createMemoryLog, type EventLog, Runs } from '#log';
import { newId } from '#platform';
import { aNewEvent, facts } from '#testing';
import { segmentRecorder } from '../recorder.js';
import { Crashes } from './crashes.js';

const { requested, scheduled, started, message, presumedDead } = facts;
const at = momentOf(facts.BEGIN);

const { runnerId, pid } = facts.runner;
const { id: itself } = segmentRecorder(runnerId, 1);

/** @param by who has recorded the newest event */
async function crashed(rest: readonly facts.Fact[], knownAt: number | undefined, by = 'somebody') {
  const log = createMemoryLog();
  const runId = RunId.parse(newId());
  const made = [requested(), scheduled(), started(), ...rest].map((fact, revision) => fact(at, revision));
  const written = made.map(({ type, data }, revision) => {
    const actor = { kind: 'segment', id: revision === made.length - 1 ? by : itself };
    return { ...aNewEvent(type, data), metadata: { tenant: 't', correlationId: runId, actor, schemaVersion: 1 } };
  });
  await log.append(streams.run(runId), written, 'absent');
  const read: number[] = [];
  const runs = new Runs(watched(log, read), { app: 'segment-runner', id: 'r' });
  await new Crashes(runs, runnerId).record({ runId, segment: 1, pid, how: 'SIGKILL', knownAt }, at);
  const after: RunEvent[] = [];
  for await (const { event } of runs.events(runId, made.length)) after.push(event);
  return { after, from: read.slice(0, -1) };
}

/** Notes from where a stream is read. */
const watched = (log: EventLog, read: number[]): EventLog =>
  Object.assign(Object.create(log) as EventLog, {
    read: (stream: string, from = 0, max?: number) => {
      read.push(from);
      return log.read(stream, from, max);
    },
  });

const end = { type: 'SegmentEnded', data: { at, segment: 1, reason: 'crashed', detail: 'SIGKILL' } };

describe('the crash of a child', () => {
  it('is recorded behind what the child has said last: the run is not read for it', async () => {
    const { after, from } = await crashed([message('a'), message('b')], 3);
    expect(after).toEqual([end]);
    expect(from).toEqual([4]);
  });

  it('is recorded behind the newest event when that is its own: nothing else is read', async () => {
    const { after, from } = await crashed([message('a'), message('b')], 2, itself);
    expect(after).toEqual([end]);
    expect(from).toEqual([]);
  });

  it('is no second end where the newest event is its own end', async () => {
    const over: facts.Fact = (moment) => ({
      type: 'SegmentEnded',
      data: { at: moment, segment: 1, reason: 'handoff' },
    });
    expect((await crashed([over], 2, itself)).after).toEqual([]);
  });

  it('is recorded as it is found in a log that does not reach what was known: it was restored', async () => {
    expect((await crashed([message('a')], 9)).after).toEqual([end]);
    expect((await crashed([presumedDead(1)], 9)).after).toEqual([]);
  });

  it('is recorded when the child had no time to say that it began', async () => {
    expect((await crashed([], undefined)).after).toEqual([end]);
  });

  it.each([2, undefined])('is nothing to a run that has moved on (known at %s)', async (knownAt) => {
    expect((await crashed([presumedDead(1)], knownAt)).after).toEqual([]);
  });
});
